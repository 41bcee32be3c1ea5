import Builds
import CRDs
import Cryptography
import GitHosts
import KubernetesClient
import KubernetesTypes

/// Where a Repository is and what lets us in there: everything that decides which credentials are used.
struct GitAccess: Hashable, Sendable {
    let namespace: String
    let url: String
    let provider: GitProvider
    let credentialsSecret: String?
    let installationID: Int64?

    init(_ repository: Repository) {
        namespace = repository.metadata.namespace
        url = repository.spec.url
        provider = repository.spec.provider ?? .git
        credentialsSecret = repository.spec.credentialsSecret
        installationID = repository.spec.installationID
    }
}

/// Reads what lets us in at Git hosts, each time it is needed, so that a new Secret counts at once.
///
/// `spec.credentialsSecret` holds `token`, or `username` and `password`, or `ssh-privatekey` with `known_hosts`; an
/// installation of the GitHub App needs no Secret. Nothing of it is kept but the installations' tokens.
struct GitCredentialSource: Sendable {
    private let api: any KubernetesAPI
    private let gitHub: GitHubSettings
    private let tokens: InstallationTokens?

    /// The keys of the App's Secret.
    static let appIDKey = "appID"
    static let privateKeyKey = "privateKey"

    init(api: any KubernetesAPI, gitHub: GitHubSettings, exchange: GitHostExchange) {
        self.api = api
        self.gitHub = gitHub
        tokens = gitHub.app.map { secret in
            InstallationTokens(exchange: exchange) { try await Self.app(secret, gitHub, api) }
        }
    }

    /// The installations' tokens; nil without a GitHub App.
    var installationTokens: InstallationTokens? { tokens }

    // MARK: - For git

    /// What `git` shows at a Repository's host; nil for a public repository.
    ///
    /// - Throws: ``BuildFailure``; `KubernetesError`; `CancellationError`.
    func gitCredentials(for access: GitAccess, url: GitURL) async throws -> GitCredentials? {
        if let secret = try await secret(of: access) {
            return try credentials(in: secret, access, url)
        }
        guard let installation = access.installationID else { return nil }
        return .basic(username: "x-access-token", password: try await token(for: installation, access, url))
    }

    /// Gives up what was refused, so that the next try gets something new.
    func discard(_ credentials: GitCredentials?, for access: GitAccess) async {
        guard access.credentialsSecret == nil, let installation = access.installationID,
            case .basic(_, let token) = credentials
        else { return }
        await tokens?.discard(token, of: installation)
    }

    private func credentials(
        in secret: Secret, _ access: GitAccess, _ url: GitURL
    ) throws(BuildFailure) -> GitCredentials {
        let name = secret.metadata.name
        if url.scheme == "ssh" {
            guard let key = Self.text(secret, "ssh-privatekey") else {
                throw BuildFailure(
                    .credentialsMissing,
                    "the Secret \(name) of spec.credentialsSecret has no key ssh-privatekey, which \(url) asks for")
            }
            return .ssh(privateKey: key, knownHosts: Self.text(secret, "known_hosts") ?? "")
        }
        if let token = Self.line(secret, "token") {
            return .basic(username: Self.line(secret, "username") ?? Self.tokenUser(access.provider), password: token)
        }
        guard let password = Self.line(secret, "password") else {
            throw BuildFailure(
                .credentialsMissing,
                "the Secret \(name) of spec.credentialsSecret has neither the key token nor the key password")
        }
        return .basic(username: Self.line(secret, "username") ?? Self.tokenUser(access.provider), password: password)
    }

    /// The user that a host wants beside a token.
    private static func tokenUser(_ provider: GitProvider) -> String {
        switch provider {
        case .gitHub: "x-access-token"
        case .gitLab: "oauth2"
        case .gitea, .git: "git"
        }
    }

    private func token(for installation: Int64, _ access: GitAccess, _ url: GitURL) async throws -> String {
        guard let tokens else {
            throw BuildFailure(
                .credentialsMissing,
                "spec.installationID is set and no GitHub App is configured: the administrator names it in gitHub.app")
        }
        // The token opens all that the installation sees: it goes to GitHub and nowhere else.
        guard url.origin == gitHub.origin else {
            throw BuildFailure(
                .credentialsMissing,
                "spec.installationID is of the GitHub App at \(gitHub.origin), and spec.url leads to \(url.origin)")
        }
        do {
            return try await tokens.token(for: installation)
        } catch let error as GitHostError {
            switch error {
            case .later: throw BuildFailure(.gitUnreachable, "\(error)")
            case .refused, .unauthorized: throw BuildFailure(.gitAuthFailed, "\(error)")
            }
        }
    }

    // MARK: - For the host's API

    /// What the API of a Repository's host lets us in with; nil when there is nothing, or only an SSH key.
    ///
    /// - Throws: ``BuildFailure``; `KubernetesError`.
    func hostCredential(for access: GitAccess) async throws -> GitHostCredential? {
        if let secret = try await secret(of: access) {
            return (Self.line(secret, "token") ?? Self.line(secret, "password")).map { .token($0) }
        }
        guard let installation = access.installationID, access.provider == .gitHub, tokens != nil,
            let url = try? GitURL(access.url, allowsPlainHTTP: true), StatusPlaces.isHost(gitHub.origin, of: url)
        else { return nil }
        return .installation(installation)
    }

    // MARK: - Secrets

    private func secret(of access: GitAccess) async throws -> Secret? {
        guard let name = access.credentialsSecret else { return nil }
        do {
            return try await api.get(Secret.self, ObjectKey(namespace: access.namespace, name: name))
        } catch let error as KubernetesError where error.isNotFound {
            throw BuildFailure(
                .credentialsMissing,
                "the Secret \(name) of spec.credentialsSecret does not exist in namespace \(access.namespace); create it "
                    + "with the key token, or username and password, or ssh-privatekey and known_hosts")
        }
    }

    private static func app(
        _ reference: SecretReference, _ settings: GitHubSettings, _ api: any KubernetesAPI
    ) async throws -> GitHubApp {
        let secret: Secret
        do {
            secret = try await api.get(Secret.self, reference.key)
        } catch let error as KubernetesError where error.isNotFound {
            throw GitHostError.refused("the Secret \(reference.key) of the GitHub App does not exist")
        }
        let appID = settings.appID.isEmpty ? line(secret, appIDKey) ?? "" : settings.appID
        guard !appID.isEmpty else {
            throw GitHostError.refused("the GitHub App's number is neither in gitHub.appID nor in \(reference.key)")
        }
        guard let pem = secret[privateKeyKey] else {
            throw GitHostError.refused("the Secret \(reference.key) of the GitHub App has no key \(privateKeyKey)")
        }
        do {
            return GitHubApp(
                appID: appID, apiURL: GitHostURL.trimmed(settings.apiURL), key: try RSASigningKey(pem: pem))
        } catch {
            throw GitHostError.refused("the private key in the Secret \(reference.key) cannot be used: \(error)")
        }
    }

    private static func text(_ secret: Secret, _ key: String) -> String? {
        secret[key].map { String(decoding: $0, as: UTF8.self) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// A value without line ends, which editors and shells leave behind.
    private static func line(_ secret: Secret, _ key: String) -> String? {
        text(secret, key).map { $0.filter { !$0.isNewline } }.flatMap { $0.isEmpty ? nil : $0 }
    }
}
