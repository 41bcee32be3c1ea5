/// What authors tell the platform in the messages of their commits.
public enum CommitMessage {
    /// Whether a commit asks not to be built: its message has `[skip ci]`, `[ci skip]` or `[no ci]` anywhere.
    ///
    /// These are the words that GitHub and GitLab know. Case does not matter, and as at GitLab a dash or an underscore may
    /// stand for the space. Only the first 64 KiB are looked at.
    ///
    /// - Parameter message: The whole message, subject and body.
    public static func asksToSkip(_ message: String) -> Bool {
        let bytes = message.utf8.prefix(bytesMaximum).map(folded)
        return marks.contains { contains(bytes, $0) }
    }

    private static let bytesMaximum = 64 << 10

    private static let marks = ["[skip ci]", "[ci skip]", "[no ci]"].map { Array($0.utf8) }

    /// Lower case, and a space for what may stand for it.
    private static func folded(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
        case UInt8(ascii: "-"), UInt8(ascii: "_"): UInt8(ascii: " ")
        default: byte
        }
    }

    private static func contains(_ bytes: [UInt8], _ mark: [UInt8]) -> Bool {
        guard bytes.count >= mark.count else { return false }
        return (0...(bytes.count - mark.count)).contains { bytes[$0...].starts(with: mark) }
    }
}
