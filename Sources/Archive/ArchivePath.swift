/// A path inside an archive: relative, without `.` and `..`, never empty but for the root.
struct ArchivePath: Hashable, Sendable {
    let components: [String]

    /// The components with `/` between them; `.` for the root.
    var text: String { components.isEmpty ? "." : components.joined(separator: "/") }

    /// The directory it is in; nil for the root.
    var parent: ArchivePath? {
        components.isEmpty ? nil : ArchivePath(components: Array(components.dropLast()))
    }

    private init(components: [String]) {
        self.components = components
    }

    /// Takes a path as archives spell it: `./a//b/` is `a/b`.
    init(_ text: String) throws(ArchiveError) {
        guard !text.isEmpty, !text.utf8.contains(0) else {
            throw .unsafeEntry(path: text, reason: "an empty path, or one with a zero byte")
        }
        guard text.utf8.first != UInt8(ascii: "/") else {
            throw .unsafeEntry(path: text, reason: "an absolute path")
        }
        var components: [String] = []
        for part in text.utf8.split(separator: UInt8(ascii: "/")) {
            let component = String(Substring(part))
            guard component != ".." else { throw .unsafeEntry(path: text, reason: "a path with .. in it") }
            if component != "." { components.append(component) }
        }
        self.components = components
    }

    /// Where a symbolic link at this path leads.
    ///
    /// `..` is allowed at the start of a target only: after a name, which may be a link itself, it could lead anywhere.
    func resolving(linkTarget target: String) throws(ArchiveError) -> ArchivePath {
        guard !target.isEmpty, !target.utf8.contains(0), target.utf8.first != UInt8(ascii: "/") else {
            throw .unsafeEntry(path: text, reason: "a link to an absolute or empty path")
        }
        var components = self.components.dropLast()
        var hasName = false
        for part in target.utf8.split(separator: UInt8(ascii: "/")) {
            let component = String(Substring(part))
            switch component {
            case ".": continue
            case "..":
                guard !hasName, !components.isEmpty else {
                    throw .unsafeEntry(path: text, reason: "a link that could lead out of the archive")
                }
                components.removeLast()
            default:
                hasName = true
                components.append(component)
            }
        }
        return ArchivePath(components: Array(components))
    }
}
