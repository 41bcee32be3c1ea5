/// Sends the content of one streamed response.
public final class HTTPBodyWriter: Sendable {
    private let loop: EventLoop
    private let exchange: HandlerExchange

    init(loop: EventLoop, exchange: HandlerExchange) {
        self.loop = loop
        self.exchange = exchange
    }

    /// Sends `bytes`, and waits while the client is slow to take what was sent before.
    ///
    /// - Throws: `HTTPBodyError.cut` when the client is gone; `HTTPBodyError.tooLarge` for more than the given length.
    public func write(_ bytes: [UInt8]) async throws {
        guard !bytes.isEmpty else { return }
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let isTaken = loop.execute { [exchange] in
                exchange.write(bytes, continuation)
            }
            if !isTaken {
                continuation.resume(throwing: HTTPBodyError.cut)
            }
        }
    }
}
