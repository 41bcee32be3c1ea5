import CRDs

/// A name for a Repository that somebody gave none.
enum RepositoryName {
    /// `<owner>-<name>` of a clone URL, in what a name may hold; nil where nothing is left.
    static func of(_ url: String) -> String? {
        let path = url.split(separator: ":").last ?? ""
        var parts = path.split(separator: "/").suffix(2).map { String($0).lowercased() }
        guard let last = parts.popLast() else { return nil }
        parts.append(last.hasSuffix(".git") ? String(last.dropLast(4)) : last)
        let allowed = parts.joined(separator: "-").map { character in
            character.isASCII && (character.isLetter || character.isNumber) ? character : "-"
        }
        let trimmed = String(allowed.prefix(DNSName.labelBytesMaximum)).split(separator: "-").joined(separator: "-")
        return DNSName.isLabel(trimmed) ? trimmed : nil
    }
}
