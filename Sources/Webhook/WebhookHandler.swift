import HTTP

/// The webhook's public paths: one for each kind of Git host.
struct WebhookHandler: HTTPHandler {
    let github: GitHubHandler

    func handle(_ request: HTTPRequest) async -> HTTPResponse {
        guard request.path == "/github" else {
            return .problem(
                .notFound, detail: "there is only POST /github here", requestID: request.requestID)
        }
        guard request.method == .post else {
            var response = HTTPResponse.problem(
                .methodNotAllowed, detail: "deliveries come by POST", requestID: request.requestID)
            response.headers["Allow"] = "POST"
            return response
        }
        return await github.handle(request)
    }
}
