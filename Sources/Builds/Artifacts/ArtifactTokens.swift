import Cryptography

/// The tokens of the artifact store: one to write, and one to read for each artifact.
///
/// Both follow from one key that operator and store share (Secret `farebox-artifacts`). A read token opens one
/// artifact only, since the steps of a build can see it: base64url of HMAC-SHA256 over `write`, and over
/// `read:sha256-<hex>`.
public struct ArtifactTokens: Sendable, CustomStringConvertible {
    /// The key has this many bytes.
    public static let keyBytes = 32

    private let key: [UInt8]

    /// Makes the tokens of a key.
    ///
    /// - Returns: nil for a key that is too short to be one.
    public init?(key: [UInt8]) {
        guard key.count >= Self.keyBytes else { return nil }
        self.key = key
    }

    /// The token that may store artifacts, and read all.
    public var write: String { token("write") }

    /// The token that may read one artifact.
    ///
    /// - Parameter digest: 64 hex digits.
    public func read(digest: String) -> String { token("read:sha256-" + digest) }

    /// Whether the text is the write token, in constant time.
    public func isWrite(_ text: String) -> Bool { constantTimeEquals(Array(text.utf8), Array(write.utf8)) }

    /// Whether the text opens this artifact, in constant time.
    public func opens(_ text: String, digest: String) -> Bool {
        let mayRead = constantTimeEquals(Array(text.utf8), Array(read(digest: digest).utf8))
        let mayWrite = isWrite(text)
        return mayRead || mayWrite
    }

    /// The tokens of the build logs, which the same two processes share.
    public var logs: LogTokens { LogTokens(key: key) }

    /// Never the key.
    public var description: String { "(artifact tokens)" }

    private func token(_ what: String) -> String {
        Base64.encode(HMAC.sha256(key: key, message: Array(what.utf8)), .url)
    }
}
