import Synchronization

/// Runs pieces of work that take their time, some at once, at most one for each key, in the order they came.
///
/// A newer piece for a key replaces one that waits and cancels one that runs. Work begins while ``run()`` runs.
final class TaskLane<Key: Hashable & Sendable>: Sendable {
    private struct Item: Sendable {
        let number: UInt64
        let key: Key
        let work: @Sendable () async -> Void
    }

    private struct State {
        var number: UInt64 = 0
        /// The newest piece of each key that waits or runs.
        var newest: [Key: UInt64] = [:]
        var running: [UInt64: Task<Void, Never>] = [:]
        var numbers: [Key: Set<UInt64>] = [:]
    }

    private let concurrency: Int
    private let state = Mutex(State())
    private let items: AsyncStream<Item>
    private let continuation: AsyncStream<Item>.Continuation

    init(concurrency: Int) {
        precondition(concurrency > 0, "a lane needs room for one")
        self.concurrency = concurrency
        (items, continuation) = AsyncStream.makeStream()
    }

    /// Adds a piece of work in place of whatever the key had before.
    func submit(_ key: Key, _ work: @escaping @Sendable () async -> Void) {
        cancel(key)
        let number = state.withLock { state in
            state.number += 1
            state.newest[key] = state.number
            return state.number
        }
        continuation.yield(Item(number: number, key: key, work: work))
    }

    /// Gives up the work of a key, whether it waits or runs.
    func cancel(_ key: Key) {
        let tasks = state.withLock { state in
            state.newest[key] = nil
            return state.numbers[key, default: []].compactMap { state.running[$0] }
        }
        for task in tasks { task.cancel() }
    }

    /// Does the work until the calling task is cancelled; then it cancels what runs and waits for it.
    ///
    /// To be called once.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            var count = 0
            for await item in items {
                if count == concurrency {
                    await group.next()
                    count -= 1
                }
                group.addTask { await self.perform(item) }
                count += 1
            }
            group.cancelAll()
        }
    }

    private func perform(_ item: Item) async {
        let task: Task<Void, Never>? = state.withLock { state in
            guard state.newest[item.key] == item.number else { return nil }
            let task = Task { await item.work() }
            state.running[item.number] = task
            state.numbers[item.key, default: []].insert(item.number)
            return task
        }
        guard let task else { return }
        await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
        state.withLock { state in
            state.running[item.number] = nil
            state.numbers[item.key]?.remove(item.number)
            if state.numbers[item.key]?.isEmpty == true { state.numbers[item.key] = nil }
            if state.newest[item.key] == item.number { state.newest[item.key] = nil }
        }
    }
}
