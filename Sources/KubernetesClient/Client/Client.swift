import Glibc
public import HTTP
import JSON
public import Telemetry

/// A client of one API server.
///
/// Requests share a few connections, and each watch has its own. Credentials and certificates are renewed while it runs.
/// Requests are repeated only where that cannot make the server act twice; failures beyond that are the caller's to
/// handle.
public final class Client: KubernetesAPI {
    /// What the client was made from.
    public let configuration: ClientConfiguration
    private let builder: RequestBuilder
    private let credentials: any CredentialSource
    private let pool: ConnectionPool
    private let metrics: ClientMetrics
    private let warnings: WarningLog
    private let logger: Logger

    /// Makes a client; nothing is sent yet.
    ///
    /// - Parameters:
    ///   - configuration: Where the server is and who we are.
    ///   - metrics: Where requests are counted; `nil` counts nowhere.
    ///   - logger: Where warnings of the server go.
    ///   - surroundings: Where token and certificate files are read.
    /// - Throws: ``KubernetesError/configuration(_:)`` when a certificate file is missing or malformed.
    public init(
        _ configuration: ClientConfiguration, metrics: MetricsRegistry? = nil,
        logger: Logger = Logger(label: "kubernetes.client"), surroundings: ConfigurationSurroundings = .process
    ) throws {
        self.configuration = configuration
        self.logger = logger
        let builder = try RequestBuilder(configuration)
        let counts = ClientMetrics(metrics, host: ServerURL(configuration.server)?.authority ?? "")
        self.builder = builder
        self.metrics = counts
        warnings = WarningLog(logger)
        do {
            pool = try ConnectionPool(configuration, surroundings) {
                logger.warning("certificate files are unusable, the last good ones stay in use")
                counts.countReloadFailure()
            }
        } catch {
            throw KubernetesError.configuration("\(error)")
        }
        credentials = Self.source(configuration, surroundings)
    }

    /// How many connections were begun since the connections were last replaced; for tests.
    var connectionsBegun: Int { pool.connectionsBegun }

    /// Sends a request and returns the body of the successful answer.
    public func send(_ request: APIRequest) async throws -> [UInt8] {
        let response = try await exchange(request) { client, credential in
            let response = try await client.send(builder.unary(request, credential))
            return Answer(status: response.status, headers: response.headers, content: response.body)
        }
        guard response.status.isSuccess else {
            throw KubernetesError.api(
                ErrorAnswer.status(response.status, response.headers, response.content, request.description))
        }
        return response.content
    }

    /// Sends a request whose answer is read piece by piece; returns when the head of the answer is there.
    public func open(_ request: APIRequest) async throws -> any ByteStream {
        let response = try await exchange(request) { client, credential in
            let stream = try await client.stream(builder.streaming(request, credential))
            return Answer(status: stream.status, headers: stream.headers, content: (stream, client))
        }
        let (stream, client) = response.content
        guard response.status.isSuccess else {
            let body = (try? await stream.collect(bytesMaximum: ErrorAnswer.bytesMaximum)) ?? []
            throw KubernetesError.api(
                ErrorAnswer.status(response.status, response.headers, body, request.description))
        }
        return ResponseStream(stream, request.description) { [pool] in pool.suspect(client, at: .now) }
    }

    /// Sends a request that the API server passes on to a Service; returns when the head of the answer is there.
    ///
    /// It is sent once: whether it may be sent again, only the caller knows.
    ///
    /// - Returns: The Service's answer with any status, or the API server's own, a Status object, when it refuses.
    /// - Throws: ``KubernetesError``, and `CancellationError` when the calling task was cancelled.
    public func forward(_ request: ForwardedRequest) async throws -> HTTPClientStream {
        let credential = try await credentials.current()
        let client = pool.client(for: credential, at: .now)
        let built = try builder.forwarding(request, credential)
        do {
            return try await client.stream(built)
        } catch let error as HTTPClientError {
            throw KubernetesError.transport(error, during: request.description)
        }
    }

    private static func source(
        _ configuration: ClientConfiguration, _ surroundings: ConfigurationSurroundings
    ) -> any CredentialSource {
        switch configuration.credential {
        case .none:
            return FixedCredential(authorization: nil)
        case .token(let token):
            return FixedCredential(authorization: SecretText("Bearer \(token.value)"))
        case .tokenFile(let path, let fallback):
            return TokenFileCredential(path: path, fallback: fallback, surroundings: surroundings)
        case .basic(let username, let password):
            return FixedCredential(authorization: BasicCredential.authorization(username, password))
        case .exec(let plugin):
            let cluster = ExecCluster.json(configuration, surroundings)
            return ExecCredentialSource(plugin, cluster: cluster, hasTerminal: isatty(0) == 1)
        }
    }
}

// MARK: - Tries

extension Client {
    /// Status, header fields and what comes behind them.
    private struct Answer<Content: Sendable>: Sendable {
        let status: HTTPStatus
        let headers: HTTPHeaders
        let content: Content
    }

    /// Sends a request until there is an answer for the caller.
    private func exchange<Content: Sendable>(
        _ request: APIRequest, _ send: (HTTPClient, RequestCredential) async throws -> Answer<Content>
    ) async throws -> Answer<Content> {
        var policy = RetryPolicy(request)
        var credential = try await credentials.current()
        while true {
            let start = ContinuousClock.now
            let client = pool.client(for: credential, at: start)
            do {
                let answer = try await send(client, credential)
                metrics.count(method: request.verb.method.rawValue, code: String(answer.status.code))
                warnings.note(answer.headers, request)
                let (outcome, newCredential) = try await outcome(of: answer, credential, start)
                guard case .retry(let wait) = policy.handle(outcome) else { return answer }
                credential = newCredential
                try await pause(wait, request, String(answer.status.code))
            } catch let error as HTTPClientError {
                metrics.count(method: request.verb.method.rawValue, code: "<error>")
                if case .timedOut = error { pool.suspect(client, at: .now) }
                guard case .retry(let wait) = policy.handle(.failed(error)) else {
                    throw KubernetesError.transport(error, during: request.description)
                }
                try await pause(wait, request, "<error>")
            }
        }
    }

    private func outcome<Content>(
        of answer: Answer<Content>, _ credential: RequestCredential, _ start: ContinuousClock.Instant
    ) async throws -> (RetryPolicy.Outcome, RequestCredential) {
        let code = answer.status.code
        let answered = RetryPolicy.Outcome.answered(code: code, retryAfter: ErrorAnswer.retryAfter(answer.headers))
        guard code == 401 else { return (answered, credential) }
        await credentials.reject(credential, sentAt: start)
        // When no new credential is to be had, the refusal itself says more than the reason for that.
        guard let renewed = try? await credentials.current(), renewed.generation != credential.generation else {
            return (answered, credential)
        }
        return (.credentialRenewed, renewed)
    }

    private func pause(_ wait: Duration, _ request: APIRequest, _ code: String) async throws {
        metrics.countRetry(verb: request.verb.rawValue, code: code)
        logger.debug("request is sent again", ["request": "\(request)", "code": "\(code)", "after": "\(wait)"])
        if wait > .zero { try await Task.sleep(for: wait) }
    }
}
