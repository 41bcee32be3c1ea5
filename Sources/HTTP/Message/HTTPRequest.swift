/// One request, as a handler gets it.
///
/// Its content may still be arriving: read it through `body`.
public struct HTTPRequest: Sendable {
    /// The method.
    public let method: HTTPMethod
    /// Path and query as the client sent them; never empty, begins with `/` (or is `*` for OPTIONS).
    public let target: String
    /// The path as sent: escapes are not decoded, and there is no `.` or `..` segment in it.
    public let path: String
    /// What follows the `?`, as sent; `nil` without one.
    public let query: String?
    /// All header fields, in order.
    public let headers: HTTPHeaders
    /// The content.
    public let body: HTTPRequestBody
    /// The client's numeric address, without its port.
    public let remoteAddress: String
    /// The caller's `X-Request-Id` when it is fit to be logged, else one made here.
    public let requestID: String
}

extension HTTPRequest {
    /// Makes a request for calling a handler without a server; path and query are the target's.
    public init(
        method: HTTPMethod, target: String, headers: HTTPHeaders = HTTPHeaders(),
        body: HTTPRequestBody = HTTPRequestBody(), remoteAddress: String, requestID: String
    ) {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        self.init(
            method: method, target: target, path: parts.first ?? target, query: parts.count == 2 ? parts[1] : nil,
            headers: headers, body: body, remoteAddress: remoteAddress, requestID: requestID)
    }
}
