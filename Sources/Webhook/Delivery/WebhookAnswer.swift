import HTTP
import JSON
import KubernetesTypes

/// What a sender is told.
enum WebhookAnswer: Equatable, Sendable {
    /// The commit was noted on these Repositories; the build follows.
    case noted([ObjectKey], commit: String)
    /// These Repositories were made, changed or deleted.
    case changed([Change])
    /// The delivery is in order and changes nothing, for this reason.
    case ignored(String)
    /// The sender must change something before sending it again.
    case refused(HTTPStatus, String)
    /// Sending the same again will do, in a moment.
    case unavailable(String)

    /// What became of one Repository.
    struct Change: Equatable, Sendable {
        /// The Repository; for one that could not be made, its address at the host.
        let repository: String
        /// `created`, `deleted`, `suspended`, or why it could not be.
        let what: String
        /// Whether the cluster would not take it.
        var isRefused = false
    }

    /// As many changes as an answer names one by one.
    private static let namedMaximum = 100

    static var tooLarge: WebhookAnswer {
        .refused(.contentTooLarge, "a body may have at most \(WebhookLimits.bodyBytesMaximum) bytes")
    }

    /// In one word, for metrics.
    var outcome: String {
        switch self {
        case .noted: "noted"
        case .changed: "changed"
        case .ignored: "ignored"
        case .refused: "refused"
        case .unavailable: "unavailable"
        }
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
        case .changed(let changes):
            let named = changes.prefix(Self.namedMaximum).map { change -> JSONValue in
                ["repository": .string(change.repository), "change": .string(change.what)]
            }
            return .json(
                .accepted,
                ["result": "changed", "count": .integer(Int64(changes.count)), "changes": .array(named)])
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
