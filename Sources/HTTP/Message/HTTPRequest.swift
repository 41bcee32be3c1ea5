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
