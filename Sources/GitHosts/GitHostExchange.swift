import Cryptography
public import HTTP
import Synchronization
import Timing

/// Sends requests to Git hosts: guarded where a tenant chose the address, and not to a host that asked for patience.
///
/// Hosts count by token, so patience is kept by host and token: who used up a limit holds up nobody else.
public final class GitHostExchange: Sendable {
    private let open: HTTPClient
    private let guarded: HTTPClient
    private let timeout: Duration
    private let pauses = Mutex<[String: ContinuousClock.Instant]>([:])

    /// More accounts than this are forgotten at once.
    private static let accountsMaximum = 1000

    /// Makes an exchange.
    ///
    /// - Parameters:
    ///   - open: For addresses that the administrator named.
    ///   - guarded: For all others; its address policy decides which can be reached.
    public convenience init(open: HTTPClient, guarded: HTTPClient) {
        self.init(open: open, guarded: guarded, timeout: GitHostLimits.timeout)
    }

    /// - Parameter timeout: How long one request may take.
    init(open: HTTPClient, guarded: HTTPClient, timeout: Duration) {
        self.open = open
        self.guarded = guarded
        self.timeout = timeout
    }

    /// Sends a request.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - what: What it is about, for messages.
    ///   - isTrusted: Whether the administrator named the address.
    ///   - accepts: Takes an answer that is no success all the same.
    /// - Throws: ``GitHostError``; `CancellationError`.
    func send(
        _ request: HTTPClientRequest, what: String, isTrusted: Bool,
        accepts: (HTTPClientResponse) -> Bool = { _ in false }
    ) async throws -> HTTPClientResponse {
        var request = request
        request.timeout = timeout
        let host = Self.host(of: request.url)
        let account = Self.account(of: request, host: host)
        if let rest = pauses.withLock({ $0[account] }).map({ $0 - .now }), rest > .zero {
            throw GitHostError.later("\(what) has to wait: \(host) asked for patience", after: rest)
        }
        let response: HTTPClientResponse
        do {
            response = try await (isTrusted ? open : guarded).send(request)
        } catch let error as HTTPClientError {
            throw GitHostAnswer.error(for: error, what: what)
        }
        guard let error = GitHostAnswer.error(in: response, what: what, now: .now), !accepts(response) else {
            return response
        }
        if case .later(_, let wait?) = error, response.status.code < 500 {
            pauses.withLock { pauses in
                if pauses.count >= Self.accountsMaximum { pauses = [:] }
                pauses[account] = .now + wait
            }
        }
        throw error
    }

    /// The host, and a digest of what it knows us by there.
    private static func account(of request: HTTPClientRequest, host: String) -> String {
        let token = request.headers["Authorization"] ?? request.headers["PRIVATE-TOKEN"] ?? ""
        return host + " " + SHA256.hash(of: token).hex.prefix(16)
    }

    /// Host and port of a URL, and nothing that could be a secret.
    static func host(of url: String) -> String {
        let start = url.firstRange(of: "://")?.upperBound ?? url.startIndex
        return String(url[start...].prefix { $0 != "/" && $0 != "?" })
    }
}
