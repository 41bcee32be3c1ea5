/// Checks the keys of labels and annotations.
public enum LabelKey {
    /// Whether a text can be a key: an optional DNS subdomain and slash, then up to 63 characters from `[A-Za-z0-9_.-]`
    /// that begin and end with a letter or digit.
    public static func isValid(_ key: String) -> Bool {
        let parts = key.split(separator: "/", omittingEmptySubsequences: false)
        switch parts.count {
        case 1: return isName(parts[0])
        case 2: return DNSName.isSubdomain(String(parts[0])) && isName(parts[1])
        default: return false
        }
    }

    /// The part of a key before the slash; empty when there is none.
    public static func prefix(_ key: String) -> String {
        guard let slash = key.firstIndex(of: "/") else { return "" }
        return String(key[..<slash])
    }

    private static func isName(_ name: Substring) -> Bool { !name.isEmpty && LabelValue.isValid(String(name)) }
}
