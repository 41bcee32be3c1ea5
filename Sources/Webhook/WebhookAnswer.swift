import HTTP
import JSON
import KubernetesTypes

/// What a sender is told.
enum WebhookAnswer: Equatable, Sendable {
    /// The commit was noted on these Repositories; the build follows.
    case noted([ObjectKey], commit: String)
    /// The delivery is in order and changes nothing, for this reason.
    case ignored(String)
    /// The sender must change something before sending it again.
    case refused(HTTPStatus, String)
    /// Sending the same again will do, in a moment.
    case unavailable(String)

    static var tooLarge: WebhookAnswer {
        .refused(.contentTooLarge, "a body may have at most \(WebhookLimits.bodyBytesMaximum) bytes")
    }

    /// The answer on the wire.
    func response(requestID: String) -> HTTPResponse {
        switch self {
        case .noted(let keys, let commit):
            return .json(
                .accepted,
                [
                    "result": "noted", "commit": .string(commit),
                    "repositories": .array(keys.map { .string($0.description) }),
                ])
        case .ignored(let reason):
            return .json(.ok, ["result": "ignored", "reason": .string(reason)])
        case .refused(let status, let reason):
            return .problem(status, detail: reason, requestID: requestID)
        case .unavailable(let reason):
            var response = HTTPResponse.problem(.serviceUnavailable, detail: reason, requestID: requestID)
            response.headers["Retry-After"] = "10"
            return response
        }
    }
}
