import ClusterAccess
import HTTP
import KubernetesClient
import Telemetry

/// Somebody who was let in.
enum Caller: Sendable {
    /// Whoever has the one name and password: may do everything that the API offers.
    case administrator(String)
    /// Somebody the API server knows: may do what it lets them do.
    case person(AccessReview.Person, token: String)

    /// Who it is, for the log.
    var name: String {
        switch self {
        case .administrator(let name): name
        case .person(let person, _): person.username
        }
    }
}

/// Finds out who asks, and whether they may.
struct CallerDesk: Sendable {
    let basic: BasicCredentials
    let access: AccessDesk
    let metrics: AdminMetrics
    private let failures: FailureLimit
    private let logger = Logger(label: "admin")

    init(
        basic: BasicCredentials, access: AccessDesk, metrics: AdminMetrics, failures: FailureLimit = FailureLimit()
    ) {
        self.basic = basic
        self.access = access
        self.metrics = metrics
        self.failures = failures
    }

    /// The words of OpenFaaS' gateway.
    static let unauthorizedText = "invalid credentials"

    /// Who sent a request.
    ///
    /// - Throws: ``AdminRefusal``: 401, or 429 for an address that failed too often.
    func caller(of request: HTTPRequest) async throws(AdminRefusal) -> Caller {
        switch AuthorizationField(request.headers) {
        case .none:
            // A client that sends nothing guesses nothing.
            throw AdminRefusal(.unauthorized, Self.unauthorizedText)
        case .basic(let user, let password):
            guard basic.admits(user: user, password: password) else { throw failed("basic", request) }
            return .administrator(String(decoding: user, as: UTF8.self))
        case .bearer(let token):
            return .person(try await person(token, request), token: token)
        }
    }

    /// Makes sure that somebody may do something.
    ///
    /// - Throws: ``AdminRefusal``.
    func require(_ wish: AccessReview.Wish, of caller: Caller) async throws(AdminRefusal) {
        guard case .person(let person, let token) = caller else { return }
        let answer: AccessDesk.Answer
        do {
            answer = try await access.granted([wish], token: token).answer
        } catch {
            throw unreachable(error)
        }
        switch answer {
        case .yes: return
        case .no:
            metrics.refused.labels("forbidden").increment()
            throw AdminRefusal(.forbidden, "\(person.username) may not \(wish)")
        case .unknown: throw AdminRefusal(.unauthorized, Self.unauthorizedText)
        case .busy: throw busy
        }
    }

    private func person(_ token: String, _ request: HTTPRequest) async throws(AdminRefusal) -> AccessReview.Person {
        // What would cost the API server a question is limited before it is asked.
        if !access.remembers(token: token), let rest = failures.rest(of: request.remoteAddress) {
            metrics.refused.labels("too_many_failures").increment()
            throw tooManyFailures(rest)
        }
        let found: (answer: AccessDesk.Answer, person: AccessReview.Person?)
        do {
            found = try await access.identify(token: token)
        } catch {
            throw unreachable(error)
        }
        if let person = found.person { return person }
        throw found.answer == .busy ? busy : failed("bearer", request)
    }

    /// What is told after a failure; the right name and password are never refused for the failures of others.
    private func failed(_ kind: StaticString, _ request: HTTPRequest) -> AdminRefusal {
        metrics.refused.labels("credentials").increment()
        if let rest = failures.note(request.remoteAddress) { return tooManyFailures(rest) }
        logger.warning(
            "Credentials were refused",
            ["kind": "\(kind)", "address": request.remoteAddress, "request": request.requestID])
        return AdminRefusal(.unauthorized, Self.unauthorizedText)
    }

    private func tooManyFailures(_ rest: Duration) -> AdminRefusal {
        AdminRefusal(
            .tooManyRequests, "too many credentials were wrong; try again later",
            retryAfter: Int(clamping: max(1, rest.components.seconds + 1)))
    }

    private var busy: AdminRefusal { AdminRefusal(.tooManyRequests, "too many requests; try again", retryAfter: 1) }

    private func unreachable(_ error: any Error) -> AdminRefusal {
        logger.warning("Permissions cannot be asked for", ["error": "\(error)"])
        return AdminRefusal(.serviceUnavailable, "the API server cannot be asked now; try again", retryAfter: 1)
    }
}
