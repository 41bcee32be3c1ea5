import Cryptography
public import Timing

/// The tokens of the log API that need no account: the operator's, to store logs, and those of links to one log.
///
/// All follow from the key that operator and builder share (Secret `farebox-artifacts`), each from a text of its own, so
/// that none is good for anything else.
public struct LogTokens: Sendable, CustomStringConvertible {
    private let key: [UInt8]

    init(key: [UInt8]) { self.key = key }

    /// The token that may store logs.
    public var write: String { token("log-write") }

    /// Whether the text is the write token, in constant time.
    public func isWrite(_ text: String) -> Bool { constantTimeEquals(Array(text.utf8), Array(write.utf8)) }

    /// The token of a link to one log, good until a time: `<seconds>.<base64url of HMAC-SHA256>`.
    public func link(to log: LogKey, until end: Timestamp) -> String {
        let seconds = String(end.secondsSinceEpoch)
        return seconds + "." + token("log-read\n\(log.path)\n\(seconds)")
    }

    /// Whether the text opens this log now, in constant time.
    public func opens(_ text: String, _ log: LogKey, now: Timestamp = .now) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard text.utf8.count <= Self.linkBytesMaximum, parts.count == 2, let seconds = Int64(parts[0]),
            now.secondsSinceEpoch < seconds
        else { return false }
        let expected = token("log-read\n\(log.path)\n\(parts[0])")
        return constantTimeEquals(Array(parts[1].utf8), Array(expected.utf8))
    }

    /// 20 digits, a dot and 43 characters of base64url.
    private static let linkBytesMaximum = 64

    /// Never the key.
    public var description: String { "(log tokens)" }

    private func token(_ what: String) -> String {
        Base64.encode(HMAC.sha256(key: key, message: Array(what.utf8)), .url)
    }
}
