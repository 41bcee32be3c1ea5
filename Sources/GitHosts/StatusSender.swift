import HTTP
import Synchronization
public import Timing

/// Tells Git hosts how commits stand.
public final class StatusSender: Sendable {
    private struct RunKey: Hashable {
        let apiURL: String
        let project: String
        let commit: String
        let context: String
    }

    private let exchange: GitHostExchange
    private let tokens: InstallationTokens?
    private let now: @Sendable () -> Timestamp
    /// Check runs that were made or found before; what is forgotten is found again.
    private let runs = Mutex<[RunKey: Int64]>([:])

    private static let runsMaximum = 10_000

    /// Makes a sender.
    ///
    /// - Parameters:
    ///   - exchange: Sends the requests.
    ///   - tokens: The installations' tokens; nil without a GitHub App.
    ///   - now: The wall clock, for check runs' times.
    public init(
        exchange: GitHostExchange, tokens: InstallationTokens?, now: @escaping @Sendable () -> Timestamp = { .now }
    ) {
        self.exchange = exchange
        self.tokens = tokens
        self.now = now
    }

    /// Tells one report; telling it twice leaves one.
    ///
    /// A token of an installation that is refused is asked for anew, once.
    ///
    /// - Throws: ``GitHostError``, never ``GitHostError/unauthorized(_:)``; `CancellationError`.
    public func send(
        _ report: StatusReport, to place: StatusPlace, as credential: GitHostCredential
    ) async throws {
        do {
            switch credential {
            case .token(let token): try await send(report, to: place, token: token)
            case .installation(let installation):
                guard let tokens else {
                    throw GitHostError.refused("no GitHub App is configured for installation \(installation)")
                }
                let token = try await tokens.token(for: installation)
                do {
                    try await send(report, to: place, token: token)
                } catch GitHostError.unauthorized {
                    await tokens.discard(token, of: installation)
                    try await send(report, to: place, token: try await tokens.token(for: installation))
                }
            }
        } catch GitHostError.unauthorized(let message) {
            throw GitHostError.refused(message)
        }
    }

    private func send(_ report: StatusReport, to place: StatusPlace, token: String) async throws {
        let what = "the status \(report.context) on \(GitHostExchange.host(of: place.apiURL))"
        switch place.form {
        case .gitHubStatus, .gitea:
            let request = GitHubAPI.status(report, at: place, token: token)
            _ = try await exchange.send(request, what: what, isTrusted: place.isTrusted)
        case .gitLab:
            let request = GitLabAPI.status(report, at: place, token: token)
            _ = try await exchange.send(
                request, what: what, isTrusted: place.isTrusted, accepts: GitLabAPI.isToldAlready)
        case .gitHubCheck: try await check(report, place, token, what: what)
        }
    }

    /// Updates the context's check run on the commit, or makes it.
    private func check(_ report: StatusReport, _ place: StatusPlace, _ token: String, what: String) async throws {
        let key = RunKey(
            apiURL: place.apiURL, project: place.project, commit: place.commit, context: report.context)
        var run = runs.withLock { $0[key] }
        if run == nil {
            let found = try await exchange.send(
                GitHubAPI.findCheckRuns(report.context, at: place, token: token), what: what,
                isTrusted: place.isTrusted)
            run = GitHubAPI.checkRun(of: report.context, at: place, in: found.body)
        }
        if let run {
            do {
                let request = GitHubAPI.updateCheckRun(run, report, at: place, token: token, now: now())
                _ = try await exchange.send(request, what: what, isTrusted: place.isTrusted)
                remember(run, key)
                return
            } catch GitHostError.refused {
                // Gone, or not ours after all: make one of our own.
                runs.withLock { $0[key] = nil }
            }
        }
        let made = try await exchange.send(
            GitHubAPI.createCheckRun(report, at: place, token: token, now: now()), what: what,
            isTrusted: place.isTrusted)
        if let run = GitHubAPI.checkRunID(in: made.body) { remember(run, key) }
    }

    private func remember(_ run: Int64, _ key: RunKey) {
        runs.withLock { runs in
            if runs.count >= Self.runsMaximum { runs = [:] }
            runs[key] = run
        }
    }
}
