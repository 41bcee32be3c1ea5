import KubernetesTypes
import Synchronization
import Testing
import Timing

@testable import ControllerRuntime

@Suite("The work queue with waiting workers")
struct WorkQueueTests {
    @Test("A waiting worker is handed a key as it is added")
    func wakesWorker() async throws {
        let queue = WorkQueue()
        async let item = queue.next()

        queue.add(ObjectKey(name: "a"))

        #expect(await item?.key == ObjectKey(name: "a"))
    }

    @Test("A waiting worker is handed a delayed key when its time comes, and not much later")
    func wakesWorkerAfterDelay() async throws {
        let queue = WorkQueue()
        let start = ContinuousClock.now
        queue.add(ObjectKey(name: "late"), after: .seconds(30))
        queue.add(ObjectKey(name: "soon"), after: .milliseconds(20))

        let item = try await withDeadline(.seconds(300)) { await queue.next() }

        #expect(item?.key.name == "soon")
        #expect(start.duration(to: .now) >= .milliseconds(20))
    }

    @Test("A sooner key wakes a worker that waits for a later one")
    func soonerTimer() async throws {
        let queue = WorkQueue()
        queue.add(ObjectKey(name: "late"), after: .seconds(30))
        async let item = withDeadline(.seconds(300)) { await queue.next() }

        queue.add(ObjectKey(name: "soon"), after: .milliseconds(5))

        #expect(try await item?.key.name == "soon")
    }

    @Test("Shutting down wakes all waiting workers with nothing")
    func shutDownWakes() async throws {
        let queue = WorkQueue()

        let results = try await withDeadline(.seconds(300)) {
            await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<8 {
                    group.addTask { await queue.next() == nil }
                }
                queue.shutDown()
                return await group.reduce(into: []) { $0.append($1) }
            }
        }

        #expect(results == Array(repeating: true, count: 8))
    }

    @Test("A cancelled worker stops waiting, and no key is lost to it")
    func cancelledWorker() async throws {
        let queue = WorkQueue()
        let waiting = Task { await queue.next() }

        waiting.cancel()
        let nothing = await waiting.value
        queue.add(ObjectKey(name: "a"))
        let item = try await withDeadline(.seconds(300)) { await queue.next() }

        #expect(nothing == nil)
        #expect(item?.key.name == "a")
    }

    @Test("Under many workers every key is worked on, and never by two at once")
    func manyWorkers() async throws {
        let queue = WorkQueue()
        let keys = (0..<50).map { ObjectKey(namespace: "n", name: "k\($0)") }
        let log = WorkLog()

        try await withDeadline(.seconds(300)) {
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        while let item = await queue.next() {
                            await log.work(on: item.key)
                            queue.done(item)
                            if log.count == keys.count {
                                queue.shutDown()
                            }
                        }
                    }
                }
                for _ in 0..<20 {
                    for key in keys {
                        queue.add(key)
                    }
                    await Task.yield()
                }
            }
        }

        #expect(log.count == keys.count)
        #expect(log.overlaps == 0)
    }
}

/// What workers did.
private final class WorkLog: Sendable {
    private struct State {
        var inWork: Set<ObjectKey> = []
        var worked: Set<ObjectKey> = []
        var overlaps = 0
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.worked.count } }
    var overlaps: Int { state.withLock { $0.overlaps } }

    func work(on key: ObjectKey) async {
        state.withLock { state in
            if !state.inWork.insert(key).inserted {
                state.overlaps += 1
            }
        }
        await Task.yield()
        state.withLock { state in
            state.inWork.remove(key)
            state.worked.insert(key)
        }
    }
}
