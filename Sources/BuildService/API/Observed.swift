import Synchronization

/// A value that changes, and whoever waits for that.
///
/// Who is slow misses values between two looks and always sees the last one.
final class Observed<Value: Sendable>: Sendable {
    private struct State {
        var value: Value
        var version = 1
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
        var nextWaiter = 0
    }

    private let state: Mutex<State>

    init(_ value: Value) { state = Mutex(State(value: value)) }

    /// The value as it is now.
    var value: Value { state.withLock { $0.value } }

    /// Changes the value, unless the closure leaves it alone.
    ///
    /// - Returns: Whether it was changed.
    @discardableResult
    func change(_ body: (Value) -> Value?) -> Bool {
        let waiters: [CheckedContinuation<Void, Never>]? = state.withLock { state in
            guard let value = body(state.value) else { return nil }
            state.value = value
            state.version += 1
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters ?? [] { waiter.resume() }
        return waiters != nil
    }

    /// Sets the value.
    func set(_ value: Value) { change { _ in value } }

    /// Waits for a value newer than the version that was seen.
    ///
    /// - Parameter version: 0 for whoever has seen none.
    /// - Throws: `CancellationError`.
    func next(after version: Int) async throws -> (version: Int, value: Value) {
        while true {
            try Task.checkCancellation()
            let number: Int? = state.withLock { state in
                guard state.version <= version else { return nil }
                state.nextWaiter += 1
                return state.nextWaiter
            }
            guard let number else { return state.withLock { ($0.version, $0.value) } }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let isReady = state.withLock { state in
                        guard state.version <= version, !Task.isCancelled else { return true }
                        state.waiters[number] = continuation
                        return false
                    }
                    if isReady { continuation.resume() }
                }
            } onCancel: {
                state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
            }
        }
    }

    /// Waits until the value is as wanted.
    ///
    /// - Throws: `CancellationError`.
    func wait(until isWanted: (Value) -> Bool) async throws -> Value {
        var seen = 0
        while true {
            let (version, value) = try await next(after: seen)
            if isWanted(value) { return value }
            seen = version
        }
    }
}
