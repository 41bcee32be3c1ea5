import HTTP

/// Lets pages of any origin ask (CORS, the Fetch Standard): payers are browsers on pages of functions.
///
/// No credentials are involved, so any origin will do. The origin is reflected, as clients of the receipt verifier know it.
enum CrossOrigin {
    /// Adds what a page needs to read an answer.
    static func allow(_ request: HTTPRequest, _ response: inout HTTPResponse) {
        response.headers.set("Access-Control-Allow-Origin", request.headers["Origin"] ?? "*")
        response.headers.set("Vary", "Origin")
    }

    /// Answers a preflight.
    ///
    /// - Parameters:
    ///   - methods: Such as `GET, OPTIONS`.
    ///   - fields: The header fields that a page may send.
    static func preflight(_ request: HTTPRequest, methods: String, fields: String) -> HTTPResponse {
        var response = HTTPResponse(
            .noContent,
            headers: HTTPHeaders([
                ("Access-Control-Allow-Methods", methods), ("Access-Control-Allow-Headers", fields),
                ("Access-Control-Max-Age", "600"),
            ]))
        allow(request, &response)
        return response
    }
}
