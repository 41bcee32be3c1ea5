/// Sends requests over HTTP/1.1 and HTTP/2, on connections that are kept and shared.
///
/// One client has one configuration, one pool of connections and one thread, on which libcurl does all its work. When
/// the last reference to the client goes, running transfers still end; then the thread ends.
///
/// It does not retry: ``HTTPClientError/mayHaveArrived`` tells whether that would be safe. (A request that finds its
/// kept connection closed is sent once more by libcurl, unless its method is not idempotent and some of its body has
/// left already.)
public final class HTTPClient: Sendable {
    /// How the client connects.
    public let configuration: HTTPClientConfiguration
    private let loop: TransferLoop

    /// Makes a client; connections are made when they are needed.
    public init(configuration: HTTPClientConfiguration = HTTPClientConfiguration()) {
        self.configuration = configuration
        loop = TransferLoop(configuration)
    }

    deinit {
        loop.close()
    }

    /// Sends a request and collects the response.
    ///
    /// - Parameter request: The request; its `responseBytesMaximum` limits the body.
    /// - Returns: The response, whatever its status.
    /// - Throws: ``HTTPClientError``, or `CancellationError` when the task is cancelled, which aborts the transfer.
    public func send(_ request: HTTPClientRequest) async throws -> HTTPClientResponse {
        let exchange = TransferExchange(collectsBytesMaximum: request.responseBytesMaximum)
        loop.start(request, exchange)
        return try await withTaskCancellationHandler {
            try await exchange.response()
        } onCancel: {
            if exchange.cancel() { loop.cancel(exchange) }
        }
    }

    /// Sends a request and returns when the head of the response is there; the body is read from the result.
    ///
    /// - Parameter request: The request; its `timeout` covers the body as well.
    /// - Returns: The response, whatever its status.
    /// - Throws: ``HTTPClientError``, or `CancellationError` when the task is cancelled, which aborts the transfer.
    public func stream(_ request: HTTPClientRequest) async throws -> HTTPClientStream {
        let exchange = TransferExchange()
        loop.start(request, exchange)
        return try await withTaskCancellationHandler {
            HTTPClientStream(try await exchange.head(), exchange, loop)
        } onCancel: {
            if exchange.cancel() { loop.cancel(exchange) }
        }
    }

    /// How many connections were begun so far, those that failed included.
    public var connectionsBegun: Int { loop.connections.value }
}
