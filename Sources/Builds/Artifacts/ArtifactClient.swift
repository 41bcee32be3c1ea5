import CRDs
public import HTTP

/// Where build contexts wait for their builds.
public protocol ArtifactStore: Sendable {
    /// Makes sure that a context is stored.
    ///
    /// - Parameters:
    ///   - path: The tar on disk.
    ///   - digest: Its SHA-256, 64 hex digits.
    /// - Throws: ``BuildFailure`` with `ArtifactStoreUnavailable` or `ContextTooLarge`; `CancellationError`.
    func store(path: String, digest: String) async throws

    /// The token that lets a build fetch this one context.
    func readToken(digest: String) -> String
}

/// The artifact store over HTTP: `HEAD` first, `PUT` when it is not there.
public struct ArtifactClient: ArtifactStore {
    private let client: HTTPClient
    private let baseURL: String
    private let tokens: ArtifactTokens
    private let timeout: Duration

    /// Makes a client.
    ///
    /// - Parameters:
    ///   - client: Sends the requests; the store lives in the cluster, so it must allow private addresses.
    ///   - baseURL: Such as `http://farebox-builder.farebox-system`.
    ///   - tokens: Of the key that is shared with the store.
    ///   - timeout: For one upload.
    public init(client: HTTPClient, baseURL: String, tokens: ArtifactTokens, timeout: Duration = .seconds(120)) {
        self.client = client
        self.baseURL = baseURL
        self.tokens = tokens
        self.timeout = timeout
    }

    /// The token that lets a build fetch this one context.
    public func readToken(digest: String) -> String { tokens.read(digest: digest) }

    /// Stores the tar unless the store has it.
    public func store(path: String, digest: String) async throws {
        let headers = HTTPHeaders([("Authorization", "Bearer " + tokens.write)])
        let url = ArtifactPath.url(base: baseURL, digest: digest)
        let known = try await send(HTTPClientRequest(.head, url: url, headers: headers, timeout: .seconds(10)))
        if known.status == .ok { return }
        let answer = try await send(
            HTTPClientRequest(.put, url: url, headers: headers, body: .file(path: path), timeout: timeout))
        switch answer.status.code {
        case 200, 201: return
        case 413: throw BuildFailure(.contextTooLarge, "the artifact store takes no context of this size")
        case 401: throw Self.failure("it refuses the operator's token; both need the same Secret farebox-artifacts")
        default: throw Self.failure("it answered \(answer.status)")
        }
    }

    private func send(_ request: HTTPClientRequest) async throws -> HTTPClientResponse {
        do {
            return try await client.send(request)
        } catch let error as HTTPClientError {
            throw Self.failure(error.description)
        }
    }

    private static func failure(_ why: String) -> BuildFailure {
        BuildFailure(.artifactStoreUnavailable, "the artifact store cannot be used: \(why); it is tried again")
    }
}
