import Synchronization

/// The token in a file, such as a pod's service account token.
final class TokenFileCredential: CredentialSource {
    private let path: String
    private let surroundings: ConfigurationSurroundings
    private let cache: Mutex<TokenFileCache>

    init(path: String, fallback: SecretText?, surroundings: ConfigurationSurroundings) {
        self.path = path
        self.surroundings = surroundings
        cache = Mutex(TokenFileCache(fallback: fallback))
    }

    func current() async throws -> RequestCredential {
        let now = ContinuousClock.now
        if cache.withLock({ $0.isDue(at: now) }) {
            // Read outside the lock: two tasks may both read, which costs little and happens once a minute.
            let contents = try? surroundings.file(path)
            _ = cache.withLock { $0.take(contents, at: now) }
        }
        guard let credential = cache.withLock({ $0.credential }) else {
            throw KubernetesError.configuration("the token file \(path) is missing, unreadable or empty")
        }
        return credential
    }

    func reject(_ credential: RequestCredential, sentAt start: ContinuousClock.Instant) async {
        cache.withLock { $0.reject(requestSentAt: start) }
    }
}
