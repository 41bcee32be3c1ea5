import Synchronization

/// The meeting point of one transfer on the loop's thread and the one task that waits for its response.
///
/// The loop reports the head, the body and the end; the task waits for the next of them. The buffer between them is
/// bounded: past the mark, the loop is told to pause and the task resumes it.
final class TransferExchange: Sendable {
    /// What the task waits for.
    enum Need {
        case head
        case bytes
        case end
    }

    /// What the loop does with a piece of the body after offering it.
    enum Reception {
        /// It is taken.
        case taken
        /// It is not taken: offer it again when the task has read.
        case paused
        /// It is not taken and never will be.
        case refused
    }

    /// How far the reader of a stream may lag behind.
    ///
    /// Four times the 64 KiB that libcurl hands over at most in one piece is enough to keep both sides busy.
    static let bufferBytesMark = 256 << 10

    /// The longest body to collect, or `nil` for a stream.
    let collectsBytesMaximum: Int?
    private let state = Mutex(State())

    private struct State {
        var head: ReceivedHead?
        var buffer: [UInt8] = []
        var isPaused = false
        var isFinished = false
        var isCancelled = false
        var failure: HTTPClientError?
        var waiter: (need: Need, continuation: CheckedContinuation<Void, Never>)?

        func satisfies(_ need: Need) -> Bool {
            if isFinished || isCancelled { return true }
            return switch need {
            case .head: head != nil
            case .bytes: !buffer.isEmpty
            case .end: false
            }
        }

        /// Takes out the waiter when what it waits for is there.
        mutating func satisfiedWaiter() -> CheckedContinuation<Void, Never>? {
            guard let waiter, satisfies(waiter.need) else { return nil }
            self.waiter = nil
            return waiter.continuation
        }
    }

    /// Makes an exchange for a stream, or for a body that is collected up to a size.
    init(collectsBytesMaximum: Int? = nil) {
        self.collectsBytesMaximum = collectsBytesMaximum
    }

    // MARK: The loop's side

    /// Reports the head of the final response.
    func receive(_ head: ReceivedHead) {
        change { $0.head = head }
    }

    /// Offers a piece of the body.
    func receive(_ bytes: UnsafeRawBufferPointer) -> Reception {
        let (reception, waiter) = state.withLock { state in
            if state.isCancelled { return (Reception.refused, CheckedContinuation<Void, Never>?.none) }
            if let collectsBytesMaximum {
                guard state.buffer.count + bytes.count <= collectsBytesMaximum else { return (.refused, nil) }
            } else if state.buffer.count >= Self.bufferBytesMark {
                state.isPaused = true
                return (.paused, nil)
            }
            state.buffer.append(contentsOf: bytes)
            return (.taken, state.satisfiedWaiter())
        }
        waiter?.resume()
        return reception
    }

    /// Reports the end; only the first report counts.
    func finish(_ failure: HTTPClientError?) {
        change { state in
            guard !state.isFinished else { return }
            state.isFinished = true
            state.failure = failure
        }
    }

    // MARK: The task's side

    /// Waits until the head is there.
    func head() async throws -> ReceivedHead {
        await wait(for: .head)
        return try state.withLock { state in
            if state.isCancelled { throw CancellationError() }
            if let head = state.head { return head }
            throw state.failure ?? .connectionLost(reason: "the response has no head", mayHaveArrived: true)
        }
    }

    /// Waits for the next piece of a stream.
    ///
    /// - Returns: The piece, `nil` at the end, and whether the loop has to be told to go on.
    func next() async throws -> (bytes: [UInt8]?, resumes: Bool) {
        await wait(for: .bytes)
        return try state.withLock { state in
            if state.isCancelled { throw CancellationError() }
            if state.buffer.isEmpty {
                if let failure = state.failure { throw failure }
                return (nil, false)
            }
            let bytes = state.buffer
            state.buffer = []
            defer { state.isPaused = false }
            return (bytes, state.isPaused)
        }
    }

    /// Waits for the whole response.
    func response() async throws -> HTTPClientResponse {
        await wait(for: .end)
        return try state.withLock { state in
            if state.isCancelled { throw CancellationError() }
            if let failure = state.failure { throw failure }
            guard let head = state.head else {
                throw HTTPClientError.connectionLost(reason: "the response has no head", mayHaveArrived: true)
            }
            return HTTPClientResponse(status: head.status, headers: head.headers, body: state.buffer)
        }
    }

    /// Gives up the response; a waiting task throws `CancellationError`.
    ///
    /// - Returns: Whether the loop has to be told, which it has not when the transfer was over.
    func cancel() -> Bool {
        var wasRunning = false
        change { state in
            wasRunning = !state.isFinished && !state.isCancelled
            state.isCancelled = true
        }
        return wasRunning
    }

    // MARK: Waiting

    private func change(_ change: (inout State) -> Void) {
        let waiter = state.withLock { state in
            change(&state)
            return state.satisfiedWaiter()
        }
        waiter?.resume()
    }

    private func wait(for need: Need) async {
        await withCheckedContinuation { continuation in
            let isSatisfied = state.withLock { state in
                if state.satisfies(need) { return true }
                precondition(state.waiter == nil, "a response is read by one task at a time")
                state.waiter = (need, continuation)
                return false
            }
            if isSatisfied { continuation.resume() }
        }
    }
}
