import HTTP

/// The webhook's public paths: one for each kind of Git host.
struct WebhookHandler: HTTPHandler {
    let desk: DeliveryDesk
    let dialects: [GitHostKind: any GitHostDialect]

    func handle(_ request: HTTPRequest) async -> HTTPResponse {
        guard let host = GitHostKind.allCases.first(where: { $0.path == request.path }), let dialect = dialects[host]
        else {
            let paths = GitHostKind.allCases.map(\.path).joined(separator: ", ")
            return .problem(.notFound, detail: "there is only POST to \(paths) here", requestID: request.requestID)
        }
        if host == .gitHub, request.method == .get, Self.isEnabled(request.query) {
            return .text(
                .ok,
                "The installation is complete.\n\nPush a commit to a repository with a stack.yml to build its functions.\n"
            )
        }
        guard request.method == .post else {
            var response = HTTPResponse.problem(
                .methodNotAllowed, detail: "deliveries come by POST", requestID: request.requestID)
            response.headers["Allow"] = "POST"
            return response
        }
        return await desk.answer(request, dialect).response(requestID: request.requestID)
    }

    /// Whether GitHub sent a person here after they installed the App (its "setup URL").
    private static func isEnabled(_ query: String?) -> Bool {
        (query ?? "").split(separator: "&").contains { $0 == "setup_action=install" || $0 == "setup_action=update" }
    }
}
