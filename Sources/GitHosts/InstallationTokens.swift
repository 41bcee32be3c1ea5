import Cryptography
import HTTP
public import Timing

/// The tokens of the App's installations, each asked for once and kept until shortly before it ends.
///
/// They live in memory only. A second caller for an installation waits for the first one's answer.
public actor InstallationTokens {
    private let app: @Sendable () async throws -> GitHubApp
    private let exchange: GitHostExchange
    private let now: @Sendable () -> Timestamp
    private var tokens: [Int64: InstallationToken] = [:]
    private var requests: [Int64: Task<InstallationToken, any Error>] = [:]

    /// A token that ends sooner is not handed out any more.
    static let reserve: Duration = .seconds(60)
    /// More installations than this are forgotten at once.
    private static let tokensMaximum = 10_000

    /// Makes an empty store.
    ///
    /// - Parameters:
    ///   - exchange: Sends the requests.
    ///   - now: The wall clock, which the tokens' ends are told by.
    ///   - app: The App; asked for each new token, so that a new key counts at once.
    public init(
        exchange: GitHostExchange, now: @escaping @Sendable () -> Timestamp = { .now },
        app: @escaping @Sendable () async throws -> GitHubApp
    ) {
        self.exchange = exchange
        self.now = now
        self.app = app
    }

    /// Returns a token that is good for at least another minute.
    ///
    /// - Throws: ``GitHostError``; what reading the App throws.
    public func token(for installation: Int64) async throws -> String {
        if let token = tokens[installation], token.expiresAt - now() > Self.reserve { return token.text }
        if let request = requests[installation] { return try await request.value.text }
        // A task of its own: a caller that gives up must not take the answer from those that wait with it.
        let request = Task { try await self.ask(for: installation) }
        requests[installation] = request
        let result = await request.result
        requests[installation] = nil
        let token = try result.get()
        if tokens.count >= Self.tokensMaximum { tokens = [:] }
        tokens[installation] = token
        return token.text
    }

    /// Forgets a token that the host no longer takes.
    ///
    /// - Parameter token: The token that was refused; a newer one stays.
    public func discard(_ token: String, of installation: Int64) {
        if tokens[installation]?.text == token { tokens[installation] = nil }
    }

    private func ask(for installation: Int64) async throws -> InstallationToken {
        let app = try await self.app()
        let what = "a token for installation \(installation) of the GitHub App"
        let proof: String
        do {
            proof = try app.token(now: now())
        } catch {
            throw GitHostError.refused("\(what) cannot be asked for: the App's private key is unusable: \(error)")
        }
        let response = try await exchange.send(
            GitHubAPI.accessToken(installation: installation, apiURL: app.apiURL, jsonWebToken: proof), what: what,
            isTrusted: true)
        guard let token = GitHubAPI.installationToken(in: response.body) else {
            throw GitHostError.later("\(what) did not come: the host's answer has no usable token", after: nil)
        }
        return token
    }
}
