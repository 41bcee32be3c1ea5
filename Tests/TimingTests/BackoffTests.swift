import Testing
import Timing

@Suite("Backoff and jitter")
struct BackoffTests {
    @Test("The wait doubles from the base and stops at the ceiling", arguments: zip(1...6, [5, 10, 20, 40, 50, 50]))
    func doubling(failures: Int, milliseconds: Int) {
        let backoff = Backoff(base: .milliseconds(5), ceiling: .milliseconds(50))

        let delay = backoff.delay(afterFailures: failures)

        #expect(delay == .milliseconds(milliseconds))
    }

    @Test("Any number of failures gives the ceiling", arguments: [100, 1_000_000, Int.max])
    func manyFailures(failures: Int) {
        let backoff = Backoff(base: .nanoseconds(1), ceiling: .seconds(366 * 86_400))

        #expect(backoff.delay(afterFailures: failures) == backoff.ceiling)
    }

    @Test("Jitter spreads waits within its share and never above the ceiling", arguments: [3, 4] as [UInt64])
    func jitter(seed: UInt64) {
        var random = SplitMix64(state: seed)
        let backoff = Backoff(base: .seconds(1), ceiling: .seconds(8), jitter: 0.5)

        let delays = (0..<1000).map { _ in backoff.delay(afterFailures: 20, using: &random) }

        #expect(delays.allSatisfy { $0 >= .seconds(4) && $0 <= .seconds(8) }, "seed \(seed)")
        #expect(Set(delays).count > 900, "seed \(seed)")
    }

    @Test("Lengthening stays within its share")
    func lengthened() {
        var random = SplitMix64(state: 9)

        let delays = (0..<1000).map { _ in Jitter(0.2).lengthened(.seconds(10), using: &random) }

        #expect(delays.allSatisfy { $0 >= .seconds(10) && $0 <= .seconds(12) })
        #expect(Jitter(0).lengthened(.seconds(1)) == .seconds(1))
        #expect(Jitter(0).shortened(.seconds(1)) == .seconds(1))
    }
}

/// A small generator of repeatable random numbers.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
