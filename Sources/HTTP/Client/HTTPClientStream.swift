/// A response whose body is read piece by piece; one task reads it.
///
/// When the last reference goes, the rest of the response is given up.
public final class HTTPClientStream: Sendable {
    /// The status.
    public let status: HTTPStatus
    /// The header fields.
    public let headers: HTTPHeaders
    private let exchange: TransferExchange
    private let loop: TransferLoop

    init(_ head: ReceivedHead, _ exchange: TransferExchange, _ loop: TransferLoop) {
        status = head.status
        headers = head.headers
        self.exchange = exchange
        self.loop = loop
    }

    deinit {
        cancel()
    }

    /// Returns what has arrived since the last call, waiting until there is something.
    ///
    /// The client reads ahead by ``bufferBytesMark`` bytes and one piece at most; then the sender has to wait.
    ///
    /// - Returns: At least one byte, or `nil` at the end of the body.
    /// - Throws: ``HTTPClientError``; `CancellationError` when the task or the stream is cancelled.
    public func next() async throws -> [UInt8]? {
        let (bytes, resumes) = try await withTaskCancellationHandler {
            try await exchange.next()
        } onCancel: {
            cancel()
        }
        if resumes { loop.resume(exchange) }
        return bytes
    }

    /// Reads the rest of the body, up to a size.
    ///
    /// - Parameter bytesMaximum: The longest body to return.
    /// - Throws: `.bodyTooLarge` when there is more; then the stream is cancelled.
    public func collect(bytesMaximum: Int) async throws -> [UInt8] {
        var body: [UInt8] = []
        while let piece = try await next() {
            guard body.count + piece.count <= bytesMaximum else {
                cancel()
                throw HTTPClientError.bodyTooLarge(bytesMaximum: bytesMaximum)
            }
            body.append(contentsOf: piece)
        }
        return body
    }

    /// Gives up the rest of the response; a waiting ``next()`` throws.
    public func cancel() {
        if exchange.cancel() { loop.cancel(exchange) }
    }

    /// How far the client reads ahead of the reader.
    public static let bufferBytesMark = TransferExchange.bufferBytesMark
}
