/// The rules of a `.dockerignore` file: which files of a build context stay behind.
///
/// The language is that of Docker (`moby/patternmatcher`): one pattern a line, `#` begins a comment line, `!` takes a
/// path back in, the last rule that matches decides, `*` and `?` stay inside one path component, `**` crosses them, and
/// a rule that matches a folder covers what is below it. BuildKit applies no `.dockerignore` to a remote context, so it
/// has to happen when the tar is made.
public struct DockerIgnore: Sendable {
    /// The file may not be larger.
    public static let fileBytesMaximum = 64 << 10
    /// The file may not hold more rules: each is tried on each path.
    public static let rulesMaximum = 500

    private let rules: [Rule]

    private struct Rule {
        let isException: Bool
        let pattern: GlobPattern
    }

    /// No rules: everything is sent.
    public init() { rules = [] }

    /// Reads the file.
    ///
    /// - Throws: ``DockerIgnoreError`` with the line of a pattern that cannot be read.
    public init(_ text: String) throws(DockerIgnoreError) {
        guard text.utf8.count <= Self.fileBytesMaximum else { throw .tooLarge }
        var rules: [Rule] = []
        let body = text.hasPrefix("\u{FEFF}") ? text.dropFirst() : text[...]
        for (index, line) in body.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            guard !line.hasPrefix("#") else { continue }
            var text = Self.trimmed(line)
            let isException = text.hasPrefix("!")
            if isException { text = Self.trimmed(text.dropFirst()) }
            guard !text.isEmpty else { continue }
            guard let pattern = GlobPattern(Self.cleaned(text)) else {
                throw .pattern(line: index + 1, String(line))
            }
            guard rules.count < Self.rulesMaximum else { throw .tooManyRules }
            rules.append(Rule(isException: isException, pattern: pattern))
        }
        self.rules = rules
    }

    /// Tells whether the path stays behind.
    ///
    /// - Parameter path: Relative to the context's root, with slashes.
    public func excludes(_ path: String) -> Bool {
        let bytes = Array(path.utf8)
        var isExcluded = false
        for rule in rules where rule.isException == isExcluded && rule.pattern.matchesOrCovers(bytes) {
            isExcluded.toggle()
        }
        return isExcluded
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return text
    }

    /// What Go's `filepath.Clean` does, and then the leading slash goes.
    private static func cleaned(_ text: Substring) -> String {
        var parts: [Substring] = []
        for part in text.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != ".." {
                parts.removeLast()
            } else if part != ".." || !text.hasPrefix("/") {
                parts.append(part)
            }
        }
        return parts.joined(separator: "/")
    }
}

/// Why a `.dockerignore` file was refused.
public enum DockerIgnoreError: Error, Equatable, CustomStringConvertible {
    case tooLarge
    case tooManyRules
    case pattern(line: Int, String)

    /// One sentence for the author of the file.
    public var description: String {
        switch self {
        case .tooLarge: ".dockerignore has more than \(DockerIgnore.fileBytesMaximum) bytes"
        case .tooManyRules: ".dockerignore has more than \(DockerIgnore.rulesMaximum) rules"
        case .pattern(let line, let text): ".dockerignore line \(line): '\(text)' is not a pattern"
        }
    }
}
