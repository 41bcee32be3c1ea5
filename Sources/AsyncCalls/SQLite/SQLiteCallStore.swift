import Storage
import Synchronization
import Timing

/// Calls in one SQLite file, which one process has: the store of one gateway.
///
/// Write-ahead log; ``accept(_:)`` returns when the disk has the call. What became of a call outlives the process, but
/// not a power cut, after which the last calls may be made twice. A call that was under way when the process was killed
/// waits again when the file is opened.
public final class SQLiteCallStore: CallStore {
    private struct State {
        var book = QueueBook()
        /// Who waits for a call of a lane.
        var waiters: [CallLane: [(id: UInt64, continuation: CheckedContinuation<Void, Never>)]] = [:]
        var nextWaiter: UInt64 = 0
        var isClosed = false
        var dead = 0
    }

    /// The shared part, which the thread keeps as well.
    private final class Shared: Sendable {
        let state = Mutex(State())
        let ended = Gate()
    }

    private let worker: SQLiteCallWorker
    private let shared: Shared
    private let limits: CallLimits

    /// Opens a file, or makes it in a folder that exists, when it is first used.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - limits: How much is taken on.
    /// - Throws: When the system has no thread left.
    public init(path: String, limits: CallLimits = CallLimits()) throws(CallStoreError) {
        self.limits = limits
        let shared = Shared()
        self.shared = shared
        worker = try SQLiteCallWorker(path: path) { waiting in
            shared.state.withLock { state in
                // Known ones are left as they are: some of them may be under way.
                for call in waiting {
                    state.book.add(
                        call.number, call.lane, due: call.due, attempts: call.attempts, bytes: call.bytes)
                }
            }
        } ended: {
            shared.ended.open()
        }
    }

    /// Nobody else takes what this process has.
    public var extensionInterval: Duration? { nil }

    /// Keeps a call.
    public func accept(_ call: AsyncCall) async throws(CallStoreError) {
        let size = call.storedBytes
        let refusal = shared.state.withLock { $0.book.reserve(call.lane, bytes: size, limits: limits) }
        if let refusal { throw .full(refusal) }
        defer { shared.state.withLock { $0.book.cancelReservation(call.lane, bytes: size) } }
        let due = call.acceptedAt
        _ = try await worker.perform(isDurable: true) { (tables) throws(StoreFailure) in
            try tables.insert(call, due: due)
        } committed: { [shared] number in
            Self.add(number, call, due: due, shared)
        }
    }

    /// The lanes in which something waits or is under way.
    public func lanes() async throws(CallStoreError) -> [CallLane] {
        // The book is filled when the file is opened.
        try await worker.perform(isDurable: false) { _ in }
        return shared.state.withLock { $0.book.occupiedLanes }
    }

    /// Takes the next call of a lane that is due.
    public func next(in lane: CallLane, within wait: Duration) async throws(CallStoreError) -> CallLease? {
        let deadline = ContinuousClock.now + wait
        while !Task.isCancelled {
            let now = Timestamp.now
            let (taken, due) = shared.state.withLock { state -> ((number: Int64, attempt: Int)?, Timestamp?) in
                guard !state.isClosed else { return (nil, nil) }
                return (state.book.take(lane, now: now), state.book.nextDue(lane))
            }
            if let taken { return CallLease(ticket: "\(taken.number)", lane: lane, attempt: taken.attempt) }
            let left = deadline - .now
            guard left > .zero else { return nil }
            let until = due.map { min(left, max($0 - now, .milliseconds(1))) } ?? left
            guard await waitForCall(in: lane, atMost: until, since: due) else { return nil }
        }
        return nil
    }

    /// Reads the call that was taken.
    public func load(_ lease: CallLease) async throws(CallStoreError) -> AsyncCall? {
        guard let number = Int64(lease.ticket) else { return nil }
        let bytes = try await worker.perform(isDurable: false) { (tables) throws(StoreFailure) in
            try tables.envelope(number)
        }
        guard let bytes else {
            shared.state.withLock { $0.book.remove(number) }
            return nil
        }
        do {
            return try CallEnvelope.decode(bytes)
        } catch {
            throw .unavailable("call \(number) cannot be read: \(error)")
        }
    }

    /// Nothing has to be said.
    public func extend(_ lease: CallLease) async {}

    /// Ends a call, and keeps what follows.
    public func finish(_ lease: CallLease, followedBy next: AsyncCall?) async throws(CallStoreError) {
        guard let number = Int64(lease.ticket) else { return }
        let due = next?.acceptedAt ?? .now
        _ = try await worker.perform(isDurable: next != nil) { (tables) throws(StoreFailure) -> Int64? in
            try tables.delete(number)
            guard let next else { return nil }
            return try tables.insert(next, due: due)
        } committed: { [shared] added in
            shared.state.withLock { $0.book.remove(number) }
            if let added, let next { Self.add(added, next, due: due, shared) }
        }
    }

    /// Gives a call back that is to be tried again.
    public func postpone(_ lease: CallLease, for wait: Duration) async throws(CallStoreError) {
        guard let number = Int64(lease.ticket) else { return }
        let due = Timestamp.now + wait
        try await worker.perform(isDurable: false) { (tables) throws(StoreFailure) in
            try tables.postpone(number, due: due, attempts: lease.attempt)
        } committed: { [shared] in
            shared.state.withLock { $0.book.giveBack(number, due: due, attempts: lease.attempt) }
            Self.wakeOne(lease.lane, shared)
        }
    }

    /// Gives a call back that was not tried.
    public func release(_ lease: CallLease) async {
        guard let number = Int64(lease.ticket) else { return }
        shared.state.withLock { $0.book.giveBack(number, due: .now) }
        Self.wakeOne(lease.lane, shared)
    }

    /// Puts a call away.
    public func bury(
        _ lease: CallLease, _ call: AsyncCall, reason: String, followedBy next: AsyncCall?
    ) async throws(CallStoreError) {
        guard let number = Int64(lease.ticket) else { return }
        let now = Timestamp.now
        let keep = limits.deadMaximum
        _ = try await worker.perform(isDurable: true) { (tables) throws(StoreFailure) -> Int64? in
            try tables.bury(number, reason: reason, attempts: lease.attempt, now: now)
            _ = try tables.prune(keep: keep)
            guard let next else { return nil }
            return try tables.insert(next, due: now)
        } committed: { [shared] added in
            shared.state.withLock { $0.book.remove(number) }
            if let added, let next { Self.add(added, next, due: now, shared) }
        }
    }

    // MARK: Calls that were put away

    /// Calls that were put away, oldest first.
    public func dead(after cursor: UInt64?, limit: Int) async throws(CallStoreError) -> [DeadCall] {
        try await worker.perform(isDurable: false) { (tables) throws(StoreFailure) in
            try tables.dead(after: cursor, limit: limit)
        }
    }

    /// One call that was put away.
    public func dead(id: String) async throws(CallStoreError) -> DeadCall? {
        try await worker.perform(isDurable: false) { (tables) throws(StoreFailure) in try tables.dead(id: id) }
    }

    /// Has a call that was put away made after all.
    public func replay(id: String) async throws(CallStoreError) -> CallLane? {
        let now = Timestamp.now
        let revived = try await worker.perform(isDurable: true) { (tables) throws(StoreFailure) in
            try tables.revive(id, due: now)
        } committed: { [shared] revived in
            guard let revived else { return }
            shared.state.withLock { state in
                state.book.add(revived.number, revived.lane, due: now, attempts: 0, bytes: revived.bytes)
            }
            Self.wakeOne(revived.lane, shared)
        }
        return revived?.lane
    }

    /// Forgets a call that was put away.
    public func drop(id: String) async throws(CallStoreError) -> Bool {
        try await worker.perform(isDurable: true) { (tables) throws(StoreFailure) in try tables.drop(id) }
    }

    /// How much there is.
    public func counts() async throws(CallStoreError) -> CallCounts {
        let dead = try await worker.perform(isDurable: false) { (tables) throws(StoreFailure) in
            try tables.countDead()
        }
        return CallCounts(waiting: shared.state.withLock { $0.book.count }, dead: dead)
    }

    /// Closes the file; who waits for a call gets none.
    public func close() async {
        let waiting = shared.state.withLock { state in
            state.isClosed = true
            defer { state.waiters = [:] }
            return state.waiters.values.flatMap { $0 }
        }
        for waiter in waiting { waiter.continuation.resume() }
        worker.close()
        await shared.ended.wait()
    }

    // MARK: Waiting

    private static func add(_ number: Int64, _ call: AsyncCall, due: Timestamp, _ shared: Shared) {
        shared.state.withLock { state in
            state.book.add(number, call.lane, due: due, attempts: 0, bytes: call.storedBytes)
        }
        wakeOne(call.lane, shared)
    }

    /// Has one of those look again who wait for a call of this lane.
    private static func wakeOne(_ lane: CallLane, _ shared: Shared) {
        let waiter = shared.state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard var waiters = state.waiters[lane], !waiters.isEmpty else { return nil }
            let first = waiters.removeFirst()
            state.waiters[lane] = waiters.isEmpty ? nil : waiters
            return first.continuation
        }
        waiter?.resume()
    }

    /// Waits until something came into a lane, or the time is over, or the task is cancelled.
    ///
    /// - Parameter due: When the next call was due as the caller saw it; something else is there already otherwise.
    /// - Returns: Whether the store is still open.
    private func waitForCall(in lane: CallLane, atMost wait: Duration, since due: Timestamp?) async -> Bool {
        let id = shared.state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        let alarm = Mutex<Task<Void, Never>?>(nil)
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mayWait = shared.state.withLock { state in
                    // What came between looking and now had nobody to wake.
                    guard !state.isClosed, !Task.isCancelled, state.book.nextDue(lane) == due else { return false }
                    state.waiters[lane, default: []].append((id, continuation))
                    return true
                }
                guard mayWait else { return continuation.resume() }
                // The clock, once there is somebody to wake: nothing else tells that a call that was put off is due.
                let clock = Task { [weak self] in
                    guard (try? await Task.sleep(for: wait)) != nil else { return }
                    self?.stopWaiting(id, lane)
                }
                alarm.withLock { $0 = clock }
            }
        } onCancel: {
            stopWaiting(id, lane)
        }
        alarm.withLock { $0 }?.cancel()
        return !shared.state.withLock { $0.isClosed }
    }

    private func stopWaiting(_ id: UInt64, _ lane: CallLane) {
        let waiter = shared.state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard let index = state.waiters[lane]?.firstIndex(where: { $0.id == id }) else { return nil }
            let waiter = state.waiters[lane]?.remove(at: index)
            if state.waiters[lane]?.isEmpty == true { state.waiters[lane] = nil }
            return waiter?.continuation
        }
        waiter?.resume()
    }
}
