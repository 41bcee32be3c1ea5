/// Every command of the executable, and what was asked of it.
public struct CommandTree: Sendable {
    /// The commands, in the order they are listed.
    public let subcommands: [Subcommand]
    /// How the program was called: `farebox`, or `kubectl farebox`.
    public let program: String

    /// Makes a tree.
    public init(_ subcommands: [Subcommand], program: String = "farebox") {
        self.subcommands = subcommands
        self.program = program
    }

    /// What the words ask for.
    public enum Request: Sendable {
        /// To print this.
        case show(String)
        /// To run a command.
        case run(Subcommand, Options)
    }

    /// How somebody who calls this file calls the program.
    ///
    /// kubectl runs a file `kubectl-farebox` for `kubectl farebox`.
    public static func program(calledAs path: String) -> String {
        path.split(separator: "/").last == "kubectl-farebox" ? "kubectl farebox" : "farebox"
    }

    /// Reads the words after the program's name.
    ///
    /// - Throws: `UsageError`.
    public func request(_ words: [String]) throws(UsageError) -> Request {
        guard let first = words.first else {
            throw UsageError("a command is missing; see: \(program) help")
        }
        if ["help", "--help", "-h"].contains(first) { return .show(try helpPage(Array(words.dropFirst()))) }
        guard let (command, count) = find(words) else {
            let longer = group(first)
            guard !longer.isEmpty else { throw unknown(first) }
            guard words.contains("--help") || words.contains("-h") else {
                throw UsageError("say which: " + longer.map(\.name).joined(separator: ", "))
            }
            return .show(list(longer))
        }
        let options = try command.description.parse(Array(words.dropFirst(count)))
        return options.wantsHelp ? .show(command.description.help(program: program)) : .run(command, options)
    }

    /// Finds the command that the words begin with, and how many words its name has.
    func find(_ words: [String]) -> (Subcommand, Int)? {
        guard let first = words.first else { return nil }
        if words.count > 1 {
            let pair = first + " " + words[1]
            if let command = subcommands.first(where: { $0.description.isCalled(pair) }) { return (command, 2) }
        }
        return subcommands.first { $0.description.isCalled(first) }.map { ($0, 1) }
    }

    /// The commands of two words that begin with this one.
    func group(_ word: String) -> [CommandDescription] {
        subcommands.map(\.description).filter { $0.name.hasPrefix(word + " ") }
    }

    private func helpPage(_ words: [String]) throws(UsageError) -> String {
        guard let first = words.first, !first.hasPrefix("-") else { return help }
        if let (command, _) = find(words) { return command.description.help(program: program) }
        let longer = group(first)
        guard !longer.isEmpty else { throw unknown(first) }
        return list(longer)
    }

    private func unknown(_ word: String) -> UsageError {
        let names = subcommands.map(\.description).flatMap { [$0.name] + $0.aliases }
        let guess = Spelling.nearest(to: word, in: names).map { "; did you mean '\($0)'? See" } ?? "; see"
        return UsageError("there is no command '\(Shown.word(word))'\(guess): \(program) help")
    }
}
