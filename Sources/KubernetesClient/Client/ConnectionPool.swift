import HTTP
import Synchronization

/// The HTTP client in use, replaced when certificates change or its connections are suspect.
///
/// Streams that run on a replaced client go on; it ends when the last of them has ended.
final class ConnectionPool: Sendable {
    /// The least time between two replacements because of suspicion.
    ///
    /// A server that is slow for all must not be visited with new connections over and over.
    static let suspicionInterval = Duration.seconds(10)

    private struct State {
        var material: TLSMaterial
        /// The certificate that a plugin handed out; it goes before the configured one.
        var pluginIdentity: PEMIdentity?
        var client: HTTPClient
        var replacedAt: ContinuousClock.Instant?
    }

    private let configuration: ClientConfiguration
    private let surroundings: ConfigurationSurroundings
    private let state: Mutex<State>
    /// Called when changed files turned out unusable.
    private let onReloadFailure: @Sendable () -> Void

    init(
        _ configuration: ClientConfiguration, _ surroundings: ConfigurationSurroundings,
        onReloadFailure: @escaping @Sendable () -> Void
    ) throws(ConfigurationError) {
        let material = try TLSMaterial(configuration, at: .now, read: surroundings.file)
        self.configuration = configuration
        self.surroundings = surroundings
        self.onReloadFailure = onReloadFailure
        let client = HTTPClient(configuration: Self.http(configuration, material.identity))
        state = Mutex(State(material: material, client: client))
    }

    /// Returns the client for a request with this credential.
    func client(for credential: RequestCredential, at now: ContinuousClock.Instant) -> HTTPClient {
        if state.withLock({ $0.material.isDue(at: now) }) { reload() }
        return state.withLock { state in
            if let identity = credential.identity, identity != state.pluginIdentity {
                state.pluginIdentity = identity
                replace(&state)
            }
            return state.client
        }
    }

    /// Leaves the connections of a client that did not answer in time: the path to the server may be dead.
    func suspect(_ client: HTTPClient, at now: ContinuousClock.Instant) {
        state.withLock { state in
            guard state.client === client else { return }
            if let last = state.replacedAt, last.duration(to: now) < Self.suspicionInterval { return }
            state.replacedAt = now
            replace(&state)
        }
    }

    /// How many connections the present client has begun.
    var connectionsBegun: Int { state.withLock { $0.client.connectionsBegun } }

    private func reload() {
        var material = state.withLock { $0.material }
        let (hasChanged, hasFailed) = material.reload(read: surroundings.file)
        if hasFailed { onReloadFailure() }
        guard hasChanged else { return }
        let changed = material
        state.withLock { state in
            state.material = changed
            replace(&state)
        }
    }

    private func replace(_ state: inout State) {
        var identity = state.material.identity
        if let plugin = state.pluginIdentity {
            identity.certificate = plugin.certificate
            identity.privateKey = plugin.key
        }
        state.client = HTTPClient(configuration: Self.http(configuration, identity))
    }

    private static func http(_ configuration: ClientConfiguration, _ identity: TLSIdentity) -> HTTPClientConfiguration {
        // Each watch and each log that is followed has one: a request must not wait until one of them ends.
        var http = HTTPClientConfiguration(
            tls: identity, proxy: configuration.proxy, connectionsPerHostMaximum: 0)
        if configuration.tlsServerName != nil, configuration.usesTLS {
            http.connectsTo = ServerURL(configuration.server)?.host
        }
        return http
    }
}
