public import JSON

/// Decides on the event loop, before any content is read, what becomes of a request.
public protocol RequestRouter: Sendable {
    /// Decides about one request.
    ///
    /// Called on the loop's thread for every request: it must not block, and had better not allocate.
    ///
    /// - Parameters:
    ///   - head: The request's head, ranges into `bytes`.
    ///   - bytes: The head as it was sent.
    ///   - gate: What the request has waited for, when it is decided about once more; else `nil`.
    ///   - loop: The loop's number, from 0, for what the router keeps per loop.
    func route(
        _ head: RequestHead, in bytes: Span<UInt8>, after gate: (any RequestGate)?, onLoop loop: Int
    ) -> RequestDecision
}

/// What becomes of a request.
public enum RequestDecision {
    /// The server's handler answers it.
    case handle
    /// It is refused, or answered at once; the text and the further members go into a problem document with the request's
    /// id (RFC 9457).
    case refuse(HTTPStatus, detail: String, headers: HTTPHeaders = HTTPHeaders(), members: JSONObject = [:])
    /// An upstream answers it.
    case proxy(ProxyCall)
    /// It waits until the gate opens; then the router is asked again.
    ///
    /// Meanwhile only what the kernel and one read hold of the request's content is kept. After `limit`, counted from the
    /// first wait, the client is told to come back: 503 with Retry-After.
    case wait(any RequestGate, limit: Duration)
}

/// What requests wait for before they can be decided about.
public protocol RequestGate: AnyObject, Sendable {
    /// Calls `resume` when the router had better be asked again: once, on any thread, at once when it can be asked now.
    func whenOpen(_ resume: @escaping @Sendable () -> Void)
}
