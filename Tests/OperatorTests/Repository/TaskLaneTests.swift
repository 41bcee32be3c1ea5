import Synchronization
import Testing

@testable import Operator

@Suite("A lane of work", .timeLimit(.minutes(10)))
struct TaskLaneTests {
    /// What happened, in order.
    private final class Record: Sendable {
        private let entries = Mutex<[String]>([])

        var all: [String] { entries.withLock { $0 } }

        func add(_ entry: String) { entries.withLock { $0.append(entry) } }

        func wait(until isDone: ([String]) -> Bool) async {
            while !isDone(all) { try? await ContinuousClock().sleep(for: .milliseconds(1)) }
        }
    }

    @Test("never does more at once than it has room for")
    func concurrency() async {
        let lane = TaskLane<Int>(concurrency: 3)
        let record = Record()
        let running = Mutex((now: 0, most: 0))
        for key in 0..<50 {
            lane.submit(key) {
                running.withLock {
                    $0.now += 1
                    $0.most = max($0.most, $0.now)
                }
                for _ in 0..<20 { await Task.yield() }
                running.withLock { $0.now -= 1 }
                record.add("\(key)")
            }
        }
        let task = Task { await lane.run() }

        await record.wait { $0.count == 50 }
        task.cancel()
        await task.value

        #expect(running.withLock { $0.most } <= 3)
        #expect(Set(record.all).count == 50)
    }

    @Test("does the newest piece of each key, and cancels what is old")
    func replacement() async {
        let lane = TaskLane<String>(concurrency: 2)
        let record = Record()
        func work(_ name: String, waits: Bool) -> @Sendable () async -> Void {
            {
                record.add("begin \(name)")
                if waits { try? await ContinuousClock().sleep(for: .seconds(60)) }
                record.add(Task.isCancelled ? "cancelled \(name)" : "end \(name)")
            }
        }
        lane.submit("a", work("never", waits: false))
        lane.submit("a", work("first", waits: true))
        let task = Task { await lane.run() }
        await record.wait { $0.contains("begin first") }

        lane.submit("a", work("second", waits: false))
        await record.wait { $0.contains("end second") }
        lane.submit("b", work("third", waits: true))
        await record.wait { $0.contains("begin third") }
        lane.cancel("b")
        await record.wait { $0.contains("cancelled third") }
        task.cancel()
        await task.value

        #expect(!record.all.contains("begin never"))
        #expect(record.all.contains("cancelled first"))
    }

    @Test("that ends cancels what runs and waits for it")
    func end() async {
        let lane = TaskLane<Int>(concurrency: 1)
        let record = Record()
        lane.submit(1) {
            record.add("begin")
            try? await ContinuousClock().sleep(for: .seconds(60))
            record.add("end")
        }
        let task = Task { await lane.run() }
        await record.wait { $0 == ["begin"] }

        task.cancel()
        await task.value

        #expect(record.all == ["begin", "end"])
    }
}
