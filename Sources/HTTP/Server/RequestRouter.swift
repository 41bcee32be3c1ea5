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
    /// It is answered at once with this, whose content is all there.
    case answer(HTTPResponse)
    /// An upstream answers it.
    case proxy(ProxyCall)
    /// It waits until the gate opens; then the router is asked again.
    ///
    /// Meanwhile only what the kernel and one read hold of the request's content is kept. After `limit`, counted from the
    /// start of the first wait, the client is told to come back: 503 with Retry-After. The limit of the last wait counts.
    case wait(any RequestGate, limit: Duration)
}

/// What requests wait for before they can be decided about.
public protocol RequestGate: AnyObject, Sendable {
    /// Calls `resume` when the router had better be asked again: once, on any thread, at once when it can be asked now.
    ///
    /// - Returns: A number by which the request leaves when it waits no longer.
    @discardableResult
    func whenOpen(_ resume: @escaping @Sendable () -> Void) -> UInt64

    /// Takes note that a request waits no longer, although the gate did not open.
    ///
    /// May come after `resume` was called; then it means nothing.
    ///
    /// - Parameters:
    ///   - number: What `whenOpen` returned for it.
    ///   - departure: Why.
    func leave(_ number: UInt64, _ departure: GateDeparture)

    /// What a client whose request waited here and was then proxied is told about the wait: metrics of a `Server-Timing`
    /// field (W3C Server Timing), such as `scale;dur=4.1`.
    ///
    /// `nil` when clients are told nothing.
    var serverTiming: String? { get }
}

extension RequestGate {
    /// Does nothing.
    public func leave(_ number: UInt64, _ departure: GateDeparture) {}

    /// Clients are told nothing.
    public var serverTiming: String? { nil }
}

/// Why a request waits no longer before a gate that did not open.
public enum GateDeparture: Sendable, Equatable {
    /// The client closed the connection.
    case clientLeft
    /// The wait took longer than its limit.
    case timedOut
}
