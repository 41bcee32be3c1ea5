import CRDs
import HTTP
import JSON
import KubernetesTypes
import Telemetry
import Timing

/// Answers `POST /github`.
///
/// The order is fixed: size, raw body, signature over it, and only then is anything parsed. What changes nothing is
/// answered with 200 and its reason, what was noted on a Repository with 202, and what the sender should mend with a 4xx.
struct GitHubHandler: Sendable {
    let secrets: any SecretSource
    let directory: any RepositoryDirectory
    let deliveries: DeliveryLog
    let budget: BodyBudget
    let now: @Sendable () -> Timestamp
    let logger: Logger

    /// Answers one delivery; never throws, since every fault has an answer.
    func handle(_ request: HTTPRequest) async -> HTTPResponse {
        let answer = await decide(request)
        return answer.response(requestID: request.requestID)
    }

    private func decide(_ request: HTTPRequest) async -> WebhookAnswer {
        let secrets = self.secrets.current()
        guard !secrets.isEmpty else {
            return .unavailable(
                "no webhook secret is configured: create the Secret farebox-webhook with the key github")
        }
        let size = request.headers["Content-Length"].flatMap(Int.init) ?? WebhookLimits.bodyBytesMaximum
        guard size <= WebhookLimits.bodyBytesMaximum else { return .tooLarge }
        guard budget.take(size) else { return .unavailable("too many deliveries at once; send it again") }
        defer { budget.give(size) }
        let body: [UInt8]
        do {
            body = try await request.body.collect(maximumBytes: WebhookLimits.bodyBytesMaximum)
        } catch HTTPBodyError.tooLarge {
            return .tooLarge
        } catch {
            return .refused(.badRequest, "the body ended before its announced length")
        }
        guard let header = request.headers[GitHubSignature.headerName] else {
            return .refused(.unauthorized, "\(GitHubSignature.headerName) is missing: give the webhook a secret")
        }
        guard GitHubSignature(secrets: secrets).verifies(header, body: body) else {
            return .refused(.unauthorized, "\(GitHubSignature.headerName) does not fit the body and the secret")
        }
        return await handleVerified(request, body: body)
    }

    private func handleVerified(_ request: HTTPRequest, body: [UInt8]) async -> WebhookAnswer {
        switch request.headers["X-GitHub-Event"] {
        case "ping": return .ignored("pong")
        case "push": break
        case let event?:
            return .refused(
                .unprocessableContent, "the event '\(event.prefix(40))' is not handled: send only push events")
        case nil: return .refused(.badRequest, "X-GitHub-Event is missing")
        }
        guard request.headers["Content-Type"]?.lowercased().hasPrefix("application/json") == true else {
            return .refused(.unsupportedMediaType, "the webhook's content type must be application/json")
        }
        guard let delivery = request.headers["X-GitHub-Delivery"], !delivery.isEmpty,
            delivery.utf8.count <= WebhookLimits.deliveryBytesMaximum
        else { return .refused(.badRequest, "X-GitHub-Delivery is missing or too long") }
        let event: PushEvent
        do {
            event = try GitHubPush.event(from: body)
        } catch {
            return .refused(.badRequest, error.reason)
        }
        return await take(event, delivery: delivery)
    }

    /// Notes a push on every Repository that builds its branch.
    private func take(_ event: PushEvent, delivery: String) async -> WebhookAnswer {
        let known = directory.repositories(at: Set(event.repositoryURLs.compactMap(RepositoryAddress.init)))
        guard !known.isEmpty else {
            return .refused(.notFound, "no Repository has this URL: \(event.repositoryURLs.first ?? "")")
        }
        guard let branch = event.branch else { return .ignored("\(event.reference) is not a branch") }
        let matching = known.filter { ($0.spec.branch ?? RepositorySpec.branchDefault) == branch }
        guard !matching.isEmpty else { return .ignored("the branch \(branch) is not built") }
        guard case .commit(let commit) = event.change else {
            return .ignored("the branch \(branch) was deleted; what is deployed stays")
        }
        guard !deliveries.contains(delivery) else { return .ignored("the delivery \(delivery) was taken before") }
        let push = PushRequest(commit: commit, requestedAt: now().rfc3339(.seconds), delivery: delivery)
        var noted: [ObjectKey] = []
        for repository in matching where repository.metadata.annotations[FareboxAnnotation.delivery] != delivery {
            do {
                try await directory.request(push, on: repository.key)
            } catch {
                logger.error(
                    "push not noted", ["repository": repository.key, "delivery": delivery, "error": "\(error)"])
                return .unavailable("the push could not be noted on \(repository.key); send it again")
            }
            logger.info("push noted", ["repository": repository.key, "commit": commit, "delivery": delivery])
            noted.append(repository.key)
        }
        deliveries.insert(delivery)
        return noted.isEmpty ? .ignored("the delivery \(delivery) was taken before") : .noted(noted, commit: commit)
    }
}
