/// What a subcommand is called, what it takes, and the text that teaches it.
public struct CommandDescription: Sendable {
    /// An option of a subcommand, written `--name VALUE`, or `--name` where it takes no value.
    public struct Option: Sendable {
        /// The name without its dashes.
        let name: String
        /// The word for its value in the help, or nil for a flag.
        let value: String?
        let summary: String

        /// Describes an option.
        public init(_ name: String, value: String? = nil, _ summary: String) {
            self.name = name
            self.value = value
            self.summary = summary
        }
    }

    /// The word typed after `farebox`.
    public let name: String
    /// One line for the list of commands.
    public let summary: String
    /// What it does, for its own help page; lines of at most 80 columns.
    let discussion: String
    let options: [Option]
    let examples: [String]

    /// Describes a subcommand.
    public init(
        _ name: String, _ summary: String, discussion: String = "", options: [Option] = [], examples: [String] = []
    ) {
        self.name = name
        self.summary = summary
        self.discussion = discussion
        self.options = options
        self.examples = examples
    }

    /// The page that `farebox <name> --help` prints.
    public var help: String {
        var text = "farebox \(name): \(summary)\n\nUSAGE\n  farebox \(name)\(options.isEmpty ? "" : " [options]")\n"
        if !discussion.isEmpty { text += "\n\(discussion)\n" }
        let rows =
            options.map { ("--\($0.name)" + ($0.value.map { " \($0)" } ?? ""), $0.summary) } + [
                ("--help", "print this")
            ]
        text += "\nOPTIONS\n" + Self.columns(rows)
        if !examples.isEmpty { text += "\nEXAMPLES\n" + examples.map { "  \($0)\n" }.joined() }
        return text
    }

    /// Reads the words after the subcommand.
    ///
    /// - Throws: `UsageError` for an unknown option, an option without its value, or a word that is no option.
    public func parse(_ words: [String]) throws(UsageError) -> [String: String] {
        var parsed: [String: String] = [:]
        var rest = words[...]
        while let word = rest.popFirst() {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard word.hasPrefix("--"), let first = parts.first,
                let option = options.first(where: { "--" + $0.name == first })
            else { throw UsageError("\(name): unknown argument '\(word)'; see: farebox \(name) --help") }
            guard option.value != nil else {
                guard parts.count == 1 else { throw UsageError("\(name): --\(option.name) takes no value") }
                parsed[option.name] = ""
                continue
            }
            guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
                throw UsageError("\(name): --\(option.name) needs a value (\(option.value ?? ""))")
            }
            parsed[option.name] = value
        }
        return parsed
    }

    /// Lays out two columns, as wide as the longest left cell.
    static func columns(_ rows: [(String, String)]) -> String {
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { left, right in
            "  " + left + String(repeating: " ", count: width - left.count + 2) + right + "\n"
        }.joined()
    }
}

/// Something typed that cannot be understood; the process ends with exit code 2.
public struct UsageError: Error, CustomStringConvertible {
    /// What was wrong and how to mend it.
    public let description: String

    /// Wraps the message.
    public init(_ description: String) { self.description = description }
}
