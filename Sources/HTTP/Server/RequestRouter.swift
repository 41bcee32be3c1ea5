/// Decides on the event loop, before any content is read, what becomes of a request.
public protocol RequestRouter: Sendable {
    /// Decides about one request.
    ///
    /// Called on the loop's thread for every request: it must not block, and had better not allocate.
    ///
    /// - Parameters:
    ///   - head: The request's head, ranges into `bytes`.
    ///   - bytes: The head as it was sent.
    ///   - loop: The loop's number, from 0, for what the router keeps per loop.
    func route(_ head: RequestHead, in bytes: Span<UInt8>, onLoop loop: Int) -> RequestDecision
}

/// What becomes of a request.
public enum RequestDecision {
    /// The server's handler answers it.
    case handle
    /// It is refused, or answered at once; the text goes into a problem document with the request's id.
    case refuse(HTTPStatus, detail: String, headers: HTTPHeaders = HTTPHeaders())
    /// An upstream answers it.
    case proxy(ProxyCall)
}
