import JSON
import Timing

/// The credentials of a plugin, fetched when there is none, when the last one ends, and when the server refuses it.
///
/// However many requests wait, the plugin runs once for all of them.
actor ExecCredentialSource: CredentialSource {
    private let run: @Sendable () async throws -> ExecCredential
    private let now: @Sendable () -> Timestamp
    private var credential: ExecCredential?
    private var generation = 0
    private var fetching: Task<ExecCredential, any Error>?

    /// Makes a source.
    ///
    /// - Parameters:
    ///   - now: The time of day.
    ///   - run: Runs the plugin once.
    init(
        now: @escaping @Sendable () -> Timestamp = { .now }, run: @escaping @Sendable () async throws -> ExecCredential
    ) {
        self.now = now
        self.run = run
    }

    /// Makes the source of a configured plugin.
    ///
    /// - Parameters:
    ///   - plugin: The plugin.
    ///   - cluster: What it may know about the cluster.
    ///   - hasTerminal: Whether standard input is a terminal.
    init(_ plugin: ExecPlugin, cluster: JSONValue, hasTerminal: Bool) {
        self.init {
            let isInteractive = hasTerminal && plugin.interactiveMode != .never
            guard isInteractive || plugin.interactiveMode != .always else {
                throw KubernetesError.configuration(
                    "the credential plugin \(plugin.command) needs a terminal, and standard input is none")
            }
            let info = ExecCredential.input(plugin, isInteractive: isInteractive, cluster: cluster)
            let output = try await ExecProcess(plugin: plugin, isInteractive: isInteractive, info: info).run()
            return try ExecCredential(output: output, apiVersion: plugin.apiVersion)
        }
    }

    func current() async throws -> RequestCredential {
        if let credential, !hasEnded(credential) { return request(credential) }
        let fetch = fetching ?? Task { [run] in try await run() }
        let isOurs = fetching == nil
        fetching = fetch
        let result = await fetch.result
        if isOurs {
            // Those who waited with us read the outcome from the same task; only one of us stores it.
            fetching = nil
            if case .success(let fetched) = result {
                credential = fetched
                generation += 1
            }
        }
        let fetched = try result.get()
        return request(fetched)
    }

    func reject(_ credential: RequestCredential, sentAt start: ContinuousClock.Instant) async {
        if credential.generation == generation { self.credential = nil }
    }

    private func hasEnded(_ credential: ExecCredential) -> Bool {
        credential.expiration.map { $0 <= now() } ?? false
    }

    private func request(_ credential: ExecCredential) -> RequestCredential {
        RequestCredential(
            authorization: credential.token.map { SecretText("Bearer \($0.value)") },
            identity: credential.identity,
            generation: generation)
    }
}
