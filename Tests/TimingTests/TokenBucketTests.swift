import Testing
import Timing

@Suite("Token bucket")
struct TokenBucketTests {
    private let start = ContinuousClock.now

    @Test("A burst empties the bucket and time fills it again")
    func burst() {
        var bucket = TokenBucket(capacity: 3, interval: .milliseconds(100))

        #expect((0..<3).allSatisfy { _ in bucket.take(at: start) == nil })
        #expect(bucket.take(at: start) == .milliseconds(100))
        #expect(bucket.take(at: start + .milliseconds(60)) == .milliseconds(40))
        #expect(bucket.take(at: start + .milliseconds(100)) == nil)
        #expect(bucket.take(at: start + .milliseconds(100)) == .milliseconds(100))
    }

    @Test("A long rest fills the bucket to its capacity and no further")
    func rest() {
        var bucket = TokenBucket(capacity: 2, interval: .seconds(1))
        _ = bucket.take(at: start)
        let later = start + .seconds(1000)

        #expect(bucket.isFull(at: later))
        #expect(bucket.take(at: later) == nil)
        #expect(bucket.take(at: later) == nil)
        #expect(bucket.take(at: later) == .seconds(1))
        #expect(!bucket.isFull(at: later))
    }

    @Test("Reservations queue up behind each other")
    func reservations() {
        var bucket = TokenBucket(capacity: 1, interval: .seconds(1))

        let waits = (0..<3).map { _ in bucket.reserve(at: start) }

        #expect(waits == [.zero, .seconds(1), .seconds(2)])
    }

    @Test("A clock that goes backwards grants nothing")
    func backwards() {
        var bucket = TokenBucket(capacity: 1, interval: .seconds(1))
        _ = bucket.take(at: start)

        #expect(bucket.take(at: start - .seconds(5)) == .seconds(6))
    }
}
