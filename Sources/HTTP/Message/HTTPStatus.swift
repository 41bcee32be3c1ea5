/// The status code of a response (RFC 9110 §15).
public struct HTTPStatus: Hashable, Sendable, CustomStringConvertible {
    /// Three digits, 100 to 599 when well-formed.
    public let code: Int

    /// Wraps a code; nothing is checked, since it may come from a server of somebody else.
    public init(_ code: Int) {
        self.code = code
    }

    /// The upgrade was accepted: another protocol follows.
    public static let switchingProtocols = HTTPStatus(101)
    /// The request succeeded.
    public static let ok = HTTPStatus(200)
    /// A resource was created.
    public static let created = HTTPStatus(201)
    /// The request is accepted, its work is still to be done.
    public static let accepted = HTTPStatus(202)
    /// Success without content.
    public static let noContent = HTTPStatus(204)
    /// What happened is told elsewhere, to be read with GET.
    public static let seeOther = HTTPStatus(303)
    /// The client's copy is still good.
    public static let notModified = HTTPStatus(304)
    /// Go elsewhere, with the same method.
    public static let temporaryRedirect = HTTPStatus(307)
    /// Go elsewhere from now on, with the same method.
    public static let permanentRedirect = HTTPStatus(308)
    /// The request cannot be understood.
    public static let badRequest = HTTPStatus(400)
    /// Credentials are missing or wrong.
    public static let unauthorized = HTTPStatus(401)
    /// The call must be paid first.
    public static let paymentRequired = HTTPStatus(402)
    /// The caller may not do this.
    public static let forbidden = HTTPStatus(403)
    /// Nothing is known by this name.
    public static let notFound = HTTPStatus(404)
    /// The target does not offer this method.
    public static let methodNotAllowed = HTTPStatus(405)
    /// The client took too long to send its request.
    public static let requestTimeout = HTTPStatus(408)
    /// The request contradicts the present state.
    public static let conflict = HTTPStatus(409)
    /// The content is larger than the limit.
    public static let contentTooLarge = HTTPStatus(413)
    /// The request line is longer than the limit.
    public static let uriTooLong = HTTPStatus(414)
    /// The content is of a kind that is not understood.
    public static let unsupportedMediaType = HTTPStatus(415)
    /// The `Expect` field asks for something unknown.
    public static let expectationFailed = HTTPStatus(417)
    /// The content is well-formed but means nothing valid.
    public static let unprocessableContent = HTTPStatus(422)
    /// The caller asks too often, or too much is under way.
    public static let tooManyRequests = HTTPStatus(429)
    /// The header section is larger than the limit.
    public static let headerFieldsTooLarge = HTTPStatus(431)
    /// The server failed.
    public static let internalServerError = HTTPStatus(500)
    /// The server does not know the method.
    public static let notImplemented = HTTPStatus(501)
    /// The upstream's answer was unusable.
    public static let badGateway = HTTPStatus(502)
    /// Nobody can answer now; try later.
    public static let serviceUnavailable = HTTPStatus(503)
    /// The upstream took too long.
    public static let gatewayTimeout = HTTPStatus(504)
    /// The version of HTTP is not spoken here.
    public static let versionNotSupported = HTTPStatus(505)

    /// Whether the code is 200 to 299.
    public var isSuccess: Bool { code >= 200 && code < 300 }

    /// Whether a response with this code never has content (RFC 9110 §6.4.1).
    public var forbidsContent: Bool { code < 200 || code == 204 || code == 304 }

    /// The phrase of RFC 9110 §15, or an empty text for a code we do not use.
    public var reason: String {
        switch code {
        case 100: "Continue"
        case 101: "Switching Protocols"
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 303: "See Other"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 308: "Permanent Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 402: "Payment Required"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 417: "Expectation Failed"
        case 422: "Unprocessable Content"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        default: ""
        }
    }

    /// Code and phrase, as in `404 Not Found`.
    public var description: String { reason.isEmpty ? "\(code)" : "\(code) \(reason)" }
}
