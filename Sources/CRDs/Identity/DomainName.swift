/// Checks the names of domains that functions have to themselves.
public enum DomainName {
    /// Whether a text is a domain of at least two labels, in lower case, that nobody takes for a numeric address.
    public static func isValid(_ text: String) -> Bool {
        guard DNSName.isSubdomain(text), let dot = text.lastIndex(of: ".") else { return false }
        // A host that ends in a number is an IPv4 address or nothing (URL Standard, 3.5).
        return text[text.index(after: dot)...].utf8.first.map { !(0x30...0x39).contains($0) } ?? false
    }

    /// Whether a domain is `parent`, or lies below it.
    public static func isWithin(_ domain: String, _ parent: String) -> Bool {
        domain == parent || domain.hasSuffix("." + parent)
    }
}
