/// Remembers the token of a file that is replaced from time to time.
///
/// A pure value; ``TokenFileCredential`` reads the file for it. Source: client-go, `transport/token_source.go`.
struct TokenFileCache: Sendable {
    /// How long a token is used before the file is read again: a minute, less ten seconds of leeway.
    ///
    /// The kubelet replaces a pod's token when it has lived through four fifths of its hour or more.
    static let lifetime = Duration.seconds(50)

    private var token: SecretText?
    private var readAt: ContinuousClock.Instant?
    private var generation = 0

    /// Begins with a token that serves until the file can be read.
    init(fallback: SecretText? = nil) {
        token = fallback
    }

    /// Whether the file should be read before the next request.
    func isDue(at now: ContinuousClock.Instant) -> Bool {
        guard token != nil, let readAt else { return true }
        return readAt.duration(to: now) >= Self.lifetime
    }

    /// Takes what the file held.
    ///
    /// - Parameter contents: The bytes of the file; `nil` when it is missing or unreadable.
    /// - Returns: Whether a usable token was found; when not, the last good one stays.
    mutating func take(_ contents: [UInt8]?, at now: ContinuousClock.Instant) -> Bool {
        let text = String(decoding: contents ?? [], as: UTF8.self)
        let trimmed = String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
        guard !trimmed.isEmpty, trimmed.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return false }
        let found = SecretText(trimmed)
        if found != token || readAt == nil { generation += 1 }
        token = found
        readAt = now
        return true
    }

    /// Forgets when the token was read, if that was before a request that the server refused with it.
    mutating func reject(requestSentAt start: ContinuousClock.Instant) {
        if let readAt, readAt <= start { self.readAt = nil }
    }

    /// The token to send; `nil` when there never was one.
    var credential: RequestCredential? {
        token.map { RequestCredential(authorization: SecretText("Bearer \($0.value)"), generation: generation) }
    }
}
