/// Checks names against the rules that Kubernetes has for its objects (RFC 1123, RFC 1035).
public enum DNSName {
    /// The longest DNS label.
    public static let labelBytesMaximum = 63
    /// The longest DNS subdomain that Kubernetes takes.
    public static let subdomainBytesMaximum = 253

    /// Whether a text is a DNS label of RFC 1123: up to 63 of `[a-z0-9-]`, with a letter or digit at both ends.
    public static func isLabel(_ text: some StringProtocol) -> Bool {
        let bytes = Array(text.utf8)
        guard (1...labelBytesMaximum).contains(bytes.count), bytes.first != hyphen, bytes.last != hyphen else {
            return false
        }
        return bytes.allSatisfy { isLetter($0) || isDigit($0) || $0 == hyphen }
    }

    /// Whether a text is a DNS subdomain of RFC 1123: labels joined by dots, up to 253 bytes.
    public static func isSubdomain(_ text: String) -> Bool {
        guard (1...subdomainBytesMaximum).contains(text.utf8.count) else { return false }
        return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { isLabel($0) }
    }

    /// Whether a text is a DNS label of RFC 1035, which begins with a letter: what the name of a Service must be.
    public static func isServiceName(_ text: String) -> Bool { isLabel(text) && text.utf8.first.map(isLetter) == true }

    private static let hyphen = UInt8(ascii: "-")

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
