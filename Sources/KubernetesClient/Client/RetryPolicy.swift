import HTTP
import Timing

/// Decides whether a request is sent again: only when that cannot make the server act twice.
///
/// A pure value for the tries of one request. Source: client-go, `rest/with_retry.go`.
struct RetryPolicy: Sendable {
    /// How many tries there are in all.
    static let triesMaximum = 10
    /// A longer wait that the server asks for is left to the caller.
    static let waitMaximum = Duration.seconds(30)

    /// What became of a try.
    enum Outcome: Sendable {
        /// The server answered; `retryAfter` is what it asked for in seconds.
        case answered(code: Int, retryAfter: Int?)
        /// The server refused the credential, and there is a newer one.
        case credentialRenewed
        /// No complete answer came.
        case failed(HTTPClientError)
    }

    /// What to do next.
    enum Decision: Hashable, Sendable {
        /// Hand the outcome to the caller.
        case stop
        /// Send the request again after a wait.
        case retry(after: Duration)
    }

    private let isRead: Bool
    /// Whether the request asks for a version of the collection that the server may not have yet.
    private let asksForVersion: Bool
    private var tries = 0
    private var renewals = 0
    private let backoff = Backoff(base: .milliseconds(100), ceiling: .seconds(2))

    init(_ request: APIRequest) {
        isRead = request.verb == .get || request.verb == .list || request.verb == .watch
        asksForVersion = isRead && !["", "0"].contains(request.query("resourceVersion") ?? "")
    }

    /// Takes the outcome of a try.
    mutating func handle(_ outcome: Outcome) -> Decision {
        tries += 1
        guard tries < Self.triesMaximum else { return .stop }
        switch outcome {
        case .answered(let code, let retryAfter):
            // The server says itself that it has not acted, whatever the verb.
            guard code == 429 || (500...599).contains(code), let retryAfter else { return .stop }
            // "Too large resource version": each try takes the server 3 s, and the caller has a better answer (W1).
            if code == 504, asksForVersion { return .stop }
            let wait = Duration.seconds(max(0, min(retryAfter, 1 << 20)))
            return wait <= Self.waitMaximum ? .retry(after: wait) : .stop
        case .credentialRenewed:
            renewals += 1
            return renewals == 1 ? .retry(after: .zero) : .stop
        case .failed(.connectionLost(_, let mayHaveArrived)):
            guard isRead || !mayHaveArrived else { return .stop }
            return .retry(after: backoff.delayWithoutJitter(afterFailures: tries))
        case .failed:
            return .stop
        }
    }
}
