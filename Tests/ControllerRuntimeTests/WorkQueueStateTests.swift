import Testing

@testable import ControllerRuntime

@Suite("The work queue's rules")
struct WorkQueueStateTests {
    typealias Queue = WorkQueueState<String>

    func at(_ milliseconds: Int) -> Duration { .milliseconds(milliseconds) }

    /// Takes everything that is ready, in order, without giving it back.
    func drain(_ queue: inout Queue, at milliseconds: Int) -> [String] {
        var keys: [String] = []
        while let item = queue.next(now: at(milliseconds)) {
            keys.append(item.key)
        }
        return keys
    }

    /// Takes the next key, which must be there.
    func take(_ queue: inout Queue, _ now: Duration) throws -> Queue.Item {
        let item = queue.next(now: now)
        return try #require(item)
    }

    @Test("A key added twice is handed out once")
    func addedTwice() {
        var queue = Queue()
        queue.add("a", now: at(0))
        queue.add("a", now: at(1))

        let keys = drain(&queue, at: 2)

        #expect(keys == ["a"])
    }

    @Test("A key added while in work is handed out again after it is done, not before")
    func addedWhileInWork() throws {
        var queue = Queue()
        queue.add("a", now: at(0))
        let item = try take(&queue, at(1))

        queue.add("a", now: at(2))
        let meanwhile = queue.next(now: at(3))
        let depthMeanwhile = queue.depth
        queue.done(item, now: at(4))
        let afterwards = queue.next(now: at(6))

        #expect(meanwhile == nil)
        #expect(depthMeanwhile == 0)
        #expect(afterwards?.key == "a")
        #expect(afterwards?.waited == .milliseconds(2))
    }

    @Test("A key in work does not hold up those behind it")
    func skipsLocked() throws {
        var queue = Queue()
        queue.add("a", now: at(0))
        queue.add("b", now: at(0))
        _ = try take(&queue, at(1))
        queue.add("a", priority: 5, now: at(2))

        let next = queue.next(now: at(3))

        #expect(next?.key == "b")
    }

    @Test("Higher priorities come first, in order of arrival inside one")
    func priorities() {
        var queue = Queue()
        queue.add("low", priority: -100, now: at(0))
        queue.add("first", now: at(1))
        queue.add("high", priority: 7, now: at(2))
        queue.add("second", now: at(3))

        let keys = drain(&queue, at: 4)
        #expect(keys == ["high", "first", "second", "low"])
    }

    @Test("A raise moves a key to the end of the higher priority; a lower request changes nothing")
    func raise() {
        var queue = Queue()
        queue.add("a", priority: -100, now: at(0))
        queue.add("b", now: at(1))
        queue.add("a", now: at(2))
        queue.add("b", priority: -100, now: at(3))

        let depth = queue.depth

        #expect(depth == 2)
        let keys = drain(&queue, at: 4)
        #expect(keys == ["b", "a"])
    }

    @Test("The priority asked for while in work is kept for the next turn")
    func raiseWhileInWork() throws {
        var queue = Queue()
        queue.add("a", now: at(0))
        let item = try take(&queue, at(0))
        queue.add("a", priority: -100, now: at(1))
        queue.add("a", priority: 3, now: at(1))
        queue.add("b", priority: 2, now: at(1))

        queue.done(item, now: at(2))

        let keys = drain(&queue, at: 3)
        #expect(keys == ["a", "b"])
    }

    @Test(
        "A delayed key is ready at the earliest time asked for",
        arguments: [([50, 20, 80], 20), ([10], 10), ([30, 30], 30), ([70, 60], 60)])
    func earliestDelayWins(delays: [Int], expected: Int) {
        var queue = Queue()
        for delay in delays {
            queue.add("a", after: .milliseconds(delay), now: at(0))
        }

        let before = queue.next(now: at(expected - 1))
        let then = queue.next(now: at(expected))
        let later = queue.next(now: at(1000))

        #expect(before == nil)
        #expect(then?.key == "a")
        #expect(later == nil)
    }

    @Test("An immediate add takes the place of a delay", arguments: [Duration.zero, .milliseconds(-5)])
    func immediateBeatsDelay(delay: Duration) throws {
        var queue = Queue()
        queue.add("a", after: .milliseconds(50), priority: 9, now: at(0))

        queue.add("a", after: delay, now: at(1))
        let item = try take(&queue, at(1))
        queue.done(item, now: at(2))

        #expect(item.priority == 9)
        let nothing = queue.next(now: at(100))
        #expect(nothing == nil)
    }

    @Test("A delay asked for in work counts from then, and an event meanwhile beats it")
    func delayInWork() throws {
        var queue = Queue()
        queue.add("a", now: at(0))
        let item = try take(&queue, at(0))
        queue.add("a", after: .milliseconds(10), now: at(1))

        let stillInWork = queue.next(now: at(20))
        queue.done(item, now: at(21))
        let due = queue.next(now: at(21))

        #expect(stillInWork == nil)
        #expect(due?.key == "a")
    }

    @Test("Keys whose delay ended are ordered by when it ended, also against keys added since")
    func orderOfReadiness() {
        var queue = Queue()
        queue.add("late", after: .milliseconds(20), now: at(0))
        queue.add("early", after: .milliseconds(10), now: at(0))

        queue.add("now", now: at(15))

        let keys = drain(&queue, at: 30)
        #expect(keys == ["early", "now", "late"])
    }

    @Test("Depth counts ready keys only")
    func depth() {
        var queue = Queue()
        queue.add("ready", now: at(0))
        queue.add("taken", priority: 1, now: at(0))
        queue.add("waiting", after: .seconds(5), now: at(0))
        _ = queue.next(now: at(1))

        #expect(queue.depth == 1)
        #expect(queue.inWork == 1)
        #expect(queue.added == 2)
        let deadline = queue.nextDeadline
        #expect(deadline == at(5000))
    }

    @Test("Failures are counted until they are forgotten")
    func failures() throws {
        var queue = Queue()
        queue.add("a", now: at(0))
        let item = try take(&queue, at(0))

        let counts = (1...3).map { _ in queue.recordFailure(of: "a", now: at(1)) }
        queue.forget(item)
        let anew = queue.recordFailure(of: "a", now: at(2))

        #expect(counts == [1, 2, 3])
        #expect(anew == 1)
    }

    @Test("A queue that is shut down hands out nothing and takes nothing")
    func shutDown() throws {
        var queue = Queue()
        queue.add("a", now: at(0))
        queue.add("b", now: at(0))
        queue.add("c", after: .milliseconds(1), now: at(0))
        let item = try take(&queue, at(0))
        queue.add("a", now: at(1))

        queue.shutDown()
        queue.add("d", now: at(2))
        queue.done(item, now: at(2))

        let nothing = queue.next(now: at(100))
        #expect(nothing == nil)
        #expect(queue.depth == 0)
        #expect(queue.inWork == 0)
        let deadline = queue.nextDeadline
        #expect(deadline == nil)
    }

    @Test("Giving back twice changes nothing")
    func doneTwice() throws {
        var queue = Queue()
        queue.add("a", now: at(0))
        let item = try take(&queue, at(0))
        queue.done(item, now: at(1))
        queue.add("a", now: at(2))

        queue.done(item, now: at(3))

        #expect(queue.depth == 1)
        #expect(queue.inWork == 0)
    }

    @Test("Memory does not grow with the keys of the past")
    func forgetsIdleKeys() {
        var queue = WorkQueueState<Int>()
        for key in 0..<50_000 {
            queue.add(key, now: at(0))
            if let item = queue.next(now: at(0)) {
                queue.done(item, now: at(0))
            }
        }

        #expect(queue.entriesHeld <= WorkQueueState<Int>.idleEntriesMaximum + 1)
    }

    @Test("Many priorities do not leave many bands behind")
    func boundedBands() {
        var queue = WorkQueueState<Int>()
        for priority in 0..<1000 {
            queue.add(priority, priority: priority, now: at(0))
            _ = queue.next(now: at(0))
        }

        #expect(queue.depths.count <= WorkQueueState<Int>.bandsMaximum)
    }
}
