public import KubernetesTypes
import Synchronization

/// A queue of object keys for the workers of one controller.
///
/// A key is in it at most once, however often it is added, and is handed to one worker at a time; `WorkQueueState` has
/// the rules. All methods may be called from any thread and none but ``next()`` waits.
public final class WorkQueue: Sendable {
    /// A key handed to a worker, to be given back by `done`.
    typealias Item = WorkQueueState<ObjectKey>.Item

    private struct Waiter {
        let ticket: UInt64
        let continuation: CheckedContinuation<Item?, Never>
    }

    private struct Guarded {
        var state = WorkQueueState<ObjectKey>()
        var waiters = FIFO<Waiter>()
        var lastTicket: UInt64 = 0
        var timer: Task<Void, Never>?
        var timerDeadline: Duration?
    }

    /// What to do once the lock is free.
    private struct Delivery {
        var items: [(Waiter, Item?)] = []
        var obsoleteTimer: Task<Void, Never>?

        func carryOut() {
            obsoleteTimer?.cancel()
            for (waiter, item) in items {
                waiter.continuation.resume(returning: item)
            }
        }
    }

    private let origin = ContinuousClock.now
    private let guarded = Mutex(Guarded())

    /// Makes an empty queue.
    public init() {}

    /// The time since the queue was made.
    private var now: Duration { origin.duration(to: .now) }

    /// Keys that a worker could take now.
    public var depth: Int { guarded.withLock { $0.state.depth } }

    /// Makes `key` ready.
    ///
    /// - Parameter priority: Higher ones come first.
    public func add(_ key: ObjectKey, priority: Int = 0) {
        change { $0.add(key, priority: priority, now: now) }
    }

    /// Makes `key` ready after `delay`, unless it is ready sooner for another reason.
    public func add(_ key: ObjectKey, after delay: Duration, priority: Int = 0) {
        change { $0.add(key, after: delay, priority: priority, now: now) }
    }

    /// Counts one more failure of `key` in a row and returns how many there are now.
    func recordFailure(of key: ObjectKey) -> Int {
        guarded.withLock { $0.state.recordFailure(of: key, now: now) }
    }

    /// Forgets the failures of the key of `item`.
    func forget(_ item: Item) {
        guarded.withLock { $0.state.forget(item) }
    }

    /// Gives a key back.
    ///
    /// - Returns: How long the worker held it.
    @discardableResult
    func done(_ item: Item) -> Duration {
        change { $0.done(item, now: now).worked }
    }

    /// Waits for a key.
    ///
    /// - Returns: nil once the queue is shut down or the calling task is cancelled.
    func next() async -> Item? {
        let (item, ticket) = guarded.withLock { guarded -> (Item?, UInt64) in
            guarded.lastTicket &+= 1
            return (Task.isCancelled ? nil : guarded.state.next(now: now), guarded.lastTicket)
        }
        if let item {
            return item
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                wait(Waiter(ticket: ticket, continuation: continuation))
            }
        } onCancel: {
            cancel(ticket)
        }
    }

    /// Wakes all waiting workers with nil; later adds are ignored.
    public func shutDown() {
        change { $0.shutDown() }
    }

    /// What the metrics show of the queue.
    func snapshot() -> Snapshot {
        let now = now
        return guarded.withLock { guarded in
            Snapshot(
                depths: guarded.state.depths, added: guarded.state.added,
                held: guarded.state.workStarts.map { now - $0 })
        }
    }

    /// The state of a queue at one moment.
    struct Snapshot {
        let depths: [(priority: Int, count: Int)]
        let added: UInt64
        /// How long each key in work has been held.
        let held: [Duration]
    }

    // MARK: - Waiters

    private func change<Result: Sendable>(
        _ body: (inout WorkQueueState<ObjectKey>) -> Result
    ) -> Result {
        let (result, delivery) = guarded.withLock { guarded in
            let result = body(&guarded.state)
            return (result, collect(&guarded))
        }
        delivery.carryOut()
        return result
    }

    private func wait(_ waiter: Waiter) {
        let delivery = guarded.withLock { guarded in
            // A cancellation before this point found no waiter: it shows here. A later one finds it.
            guard !Task.isCancelled else {
                return Delivery(items: [(waiter, nil)])
            }
            guarded.waiters.append(waiter)
            return collect(&guarded)
        }
        delivery.carryOut()
    }

    private func cancel(_ ticket: UInt64) {
        var cancelled: Waiter?
        guarded.withLock { guarded in
            guarded.waiters.keep { waiter in
                guard waiter.ticket == ticket else {
                    return true
                }
                cancelled = waiter
                return false
            }
        }
        cancelled?.continuation.resume(returning: nil)
    }

    /// Matches ready keys with waiting workers and sets the timer for the next wait.
    private func collect(_ guarded: inout Guarded) -> Delivery {
        var delivery = Delivery()
        if guarded.state.isShutDown {
            while let waiter = guarded.waiters.popFirst() {
                delivery.items.append((waiter, nil))
            }
            delivery.obsoleteTimer = guarded.timer
            guarded.timer = nil
            guarded.timerDeadline = nil
            return delivery
        }
        // Without a waiting worker nothing is taken: a worker looks for itself when it comes.
        while !guarded.waiters.isEmpty, let item = guarded.state.next(now: now) {
            if let waiter = guarded.waiters.popFirst() {
                delivery.items.append((waiter, item))
            }
        }
        guard !guarded.waiters.isEmpty, let deadline = guarded.state.nextDeadline else {
            return delivery
        }
        if let timerDeadline = guarded.timerDeadline, timerDeadline <= deadline {
            return delivery
        }
        delivery.obsoleteTimer = guarded.timer
        guarded.timerDeadline = deadline
        // Owned by the queue: cancelled on shutdown and when a sooner one takes its place.
        let wakeUp = origin.advanced(by: deadline)
        guarded.timer = Task { [weak self] in
            try? await ContinuousClock().sleep(until: wakeUp, tolerance: .zero)
            guard !Task.isCancelled else {
                return
            }
            self?.timerFired(deadline)
        }
        return delivery
    }

    private func timerFired(_ deadline: Duration) {
        let delivery = guarded.withLock { guarded in
            if guarded.timerDeadline == deadline {
                guarded.timerDeadline = nil
                guarded.timer = nil
            }
            return collect(&guarded)
        }
        delivery.carryOut()
    }
}
