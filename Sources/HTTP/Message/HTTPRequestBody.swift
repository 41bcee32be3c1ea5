import Synchronization

/// Why the content of a request cannot be read to its end.
public enum HTTPBodyError: Error, Equatable {
    /// It is larger than the limit; answer 413.
    case tooLarge(maximumBytes: Int)
    /// The client left, was too slow or sent a malformed body before the end.
    case cut
    /// Others hold so much that there is no room for it; answer 429 or 503.
    case noRoom
    /// It did not arrive within the time that it was given; answer 408.
    case late
}

/// The content of one request, read piece by piece with backpressure: what is not asked for stays with the client.
///
/// One reader at a time. Reading is possible from any task; a handler that never reads costs nothing but the pieces
/// that had arrived already.
public final class HTTPRequestBody: Sendable {
    private struct State {
        var pieces: [[UInt8]] = []
        var bufferedBytes = 0
        var isComplete = false
        var failure: HTTPBodyError?
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state: Mutex<State>
    /// Tells the connection that the reader wants more; called from any thread.
    private let demand: @Sendable () -> Void

    init(isComplete: Bool, demand: @escaping @Sendable () -> Void) {
        state = Mutex(State(isComplete: isComplete))
        self.demand = demand
    }

    /// Makes content of bytes that are there already, for calling a handler without a server.
    public convenience init(_ bytes: [UInt8] = []) {
        self.init(isComplete: true, demand: {})
        if !bytes.isEmpty {
            state.withLock { state in
                state.pieces = [bytes]
                state.bufferedBytes = bytes.count
            }
        }
    }

    /// Waits for the next piece, in whatever size it arrived.
    ///
    /// - Returns: At least one byte, or `nil` at the end.
    /// - Throws: `HTTPBodyError`; `CancellationError` when the task is cancelled while it waits.
    public func next() async throws -> [UInt8]? {
        while true {
            switch try take() {
            case .piece(let piece): return piece
            case .end: return nil
            case .wait: break
            }
            try Task.checkCancellation()
            demand()
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let isReady = state.withLock { state in
                        guard state.pieces.isEmpty, !state.isComplete, state.failure == nil, !Task.isCancelled else {
                            return true
                        }
                        precondition(state.waiter == nil, "A request's content has one reader at a time")
                        state.waiter = continuation
                        return false
                    }
                    if isReady {
                        continuation.resume()
                    }
                }
            } onCancel: {
                wake()
            }
        }
    }

    /// Reads everything.
    ///
    /// - Parameters:
    ///   - maximumBytes: The most that is taken.
    ///   - share: What it is counted in; the caller gives it back. What has come is counted and not what was announced:
    ///     whoever sends nothing holds nothing.
    ///   - factor: How often each byte is counted there.
    ///   - end: When all of it must be there.
    /// - Throws: `HTTPBodyError.tooLarge` as soon as it is known to be more, `.noRoom`, `.late`; what `next()` throws.
    public func collect(
        maximumBytes: Int, share: Budget.Share? = nil, factor: Int = 1, until end: ContinuousClock.Instant? = nil
    ) async throws -> [UInt8] {
        var all: [UInt8] = []
        while let piece = try await next() {
            guard piece.count <= maximumBytes - all.count else {
                throw HTTPBodyError.tooLarge(maximumBytes: maximumBytes)
            }
            if let share, !share.take(factor * piece.count) { throw HTTPBodyError.noRoom }
            if let end, ContinuousClock.now >= end { throw HTTPBodyError.late }
            if all.isEmpty {
                all = piece
            } else {
                all.append(contentsOf: piece)
            }
        }
        return all
    }

    private enum Taken {
        case piece([UInt8])
        case end
        case wait
    }

    private func take() throws -> Taken {
        try state.withLock { state in
            if !state.pieces.isEmpty {
                let piece = state.pieces.count == 1 ? state.pieces[0] : Array(state.pieces.joined())
                state.pieces = []
                state.bufferedBytes = 0
                return .piece(piece)
            }
            if let failure = state.failure {
                throw failure
            }
            return state.isComplete ? .end : .wait
        }
    }

    // MARK: The connection's side

    /// Adds a piece and returns how many bytes wait for the reader now.
    func add(_ bytes: [UInt8]) -> Int {
        let (waiter, buffered) = state.withLock { state in
            state.pieces.append(bytes)
            state.bufferedBytes += bytes.count
            defer { state.waiter = nil }
            return (state.waiter, state.bufferedBytes)
        }
        waiter?.resume()
        return buffered
    }

    /// Says that the content is complete.
    func complete() {
        state.withLock { $0.isComplete = true }
        wake()
    }

    /// Says that there will be no more, although the content is not complete.
    func fail(_ error: HTTPBodyError) {
        state.withLock { state in
            if !state.isComplete, state.failure == nil {
                state.failure = error
            }
        }
        wake()
    }

    private func wake() {
        let waiter = state.withLock { state in
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }
}
