public import JSON

/// What a handler answers.
///
/// Framing is the server's part: `Content-Length`, `Transfer-Encoding` and `Connection` in `headers` are ignored, and
/// `Date` and `X-Request-Id` are added.
public struct HTTPResponse: Sendable {
    /// The content of a response.
    public enum Body: Sendable {
        /// None.
        case empty
        /// These bytes.
        case bytes([UInt8])
        /// What the closure writes, sent while it writes. With a `length` it must write exactly that many bytes. It
        /// may throw to cut the response, which the client notices.
        case stream(length: UInt64? = nil, @Sendable (HTTPBodyWriter) async throws -> Void)
    }

    /// The status.
    public var status: HTTPStatus
    /// The header fields.
    public var headers: HTTPHeaders
    /// The content.
    public var body: Body

    /// Makes a response.
    public init(_ status: HTTPStatus, headers: HTTPHeaders = HTTPHeaders(), body: Body = .empty) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// Answers with plain text.
    public static func text(_ status: HTTPStatus, _ text: String) -> HTTPResponse {
        HTTPResponse(
            status, headers: HTTPHeaders([("Content-Type", "text/plain; charset=utf-8")]),
            body: .bytes(Array(text.utf8)))
    }

    /// Answers with a JSON value.
    public static func json(_ status: HTTPStatus, _ value: JSONValue) -> HTTPResponse {
        HTTPResponse(
            status, headers: HTTPHeaders([("Content-Type", "application/json")]),
            body: .bytes(JSONWriter().write(value)))
    }

    /// Answers with a problem for programs and people (RFC 9457).
    ///
    /// - Parameters:
    ///   - title: What is wrong, the same text each time.
    ///   - detail: What is wrong with this request and what to do; never a secret.
    ///   - requestID: The request's id, to be found in the logs.
    ///   - members: What else the document says, by names that are none of its own.
    public static func problem(
        _ status: HTTPStatus, title: String? = nil, detail: String, requestID: String,
        members: JSONObject = [:]
    ) -> HTTPResponse {
        var document: JSONObject = [
            "status": .integer(Int64(status.code)),
            "title": .string(title ?? status.reason),
            "detail": .string(detail),
            "requestId": .string(requestID),
        ]
        document.merge(members)
        return HTTPResponse(
            status, headers: HTTPHeaders([("Content-Type", "application/problem+json")]),
            body: .bytes(JSONWriter().write(.object(document))))
    }
}
