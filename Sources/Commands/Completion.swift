/// What a word that is being typed may become.
///
/// A pure value: what has to be asked of a cluster is only named, in ``wanted``.
public struct Completion: Sendable, Equatable {
    /// One thing to type.
    public struct Candidate: Sendable, Equatable {
        /// The whole word.
        public let word: String
        /// What it means, in one line.
        public let summary: String

        /// Makes a candidate.
        public init(_ word: String, _ summary: String = "") {
            self.word = word
            self.summary = summary
        }
    }

    /// What is known without asking anybody; all of it begins with what was typed.
    public let candidates: [Candidate]
    /// What else may stand there; `nothing` where the candidates are all.
    public let wanted: CompletionKind
    /// The part of the value that was typed, where something is wanted.
    public let typed: String
    /// What stands before the value in the same word, such as `--function=`.
    public let prefix: String
    /// The options that were typed before, such as the cluster's.
    public let options: Options

    private init(
        _ candidates: [Candidate], wanted: CompletionKind = .nothing, typed: String = "", prefix: String = "",
        options: Options = Options()
    ) {
        self.candidates = candidates
        self.wanted = wanted
        self.typed = typed
        self.prefix = prefix
        self.options = options
    }

    /// Completes the last of the words after the program's name.
    ///
    /// - Parameters:
    ///   - words: What was typed; the last one is unfinished and may be empty.
    ///   - tree: The commands.
    public init(_ words: [String], in tree: CommandTree) {
        let typed = words.last ?? ""
        let before = Array(words.dropLast())
        guard let first = before.first, first != "help" else {
            self.init(Self.firstWords(tree, isHelp: !before.isEmpty).filter { $0.word.hasPrefix(typed) })
            return
        }
        if let (command, count) = tree.find(before) {
            self = Self.inside(command.description, Array(before.dropFirst(count)), typed, tree)
            return
        }
        let second = tree.group(first).map { Candidate(String($0.name.dropFirst(first.count + 1)), $0.summary) }
        self.init(before.count == 1 ? second.filter { $0.word.hasPrefix(typed) } : [])
    }

    /// The words a command line may begin with.
    private static func firstWords(_ tree: CommandTree, isHelp: Bool) -> [Candidate] {
        var seen = Set<String>()
        var candidates: [Candidate] = []
        for description in tree.subcommands.map(\.description) {
            let parts = description.name.split(separator: " ").map(String.init)
            guard let first = parts.first, seen.insert(first).inserted else { continue }
            let isGroup = parts.count > 1
            let others = isGroup ? tree.group(first).map { $0.name.dropFirst(first.count + 1) } : []
            candidates.append(Candidate(first, isGroup ? others.joined(separator: ", ") : description.summary))
        }
        return candidates + (isHelp ? [] : [Candidate("help", "tells what a command does")])
    }

    /// Completes behind a command.
    private static func inside(
        _ command: CommandDescription, _ before: [String], _ typed: String, _ tree: CommandTree
    ) -> Completion {
        var values: [String: [String]] = [:]
        var places = 0
        var awaiting: CommandDescription.Option?
        var isOpen = true
        for word in before {
            if let option = awaiting {
                values[option.name, default: []].append(word)
                awaiting = nil
            } else if isOpen, word == "--" {
                isOpen = false
            } else if isOpen, word.hasPrefix("-"), word.count > 1 {
                awaiting = take(word, of: command, &values)
            } else {
                places += 1
            }
        }
        let options = Options(values)
        if let awaiting { return value(awaiting.completion, typed, "", options, tree) }
        if isOpen, typed.hasPrefix("-") { return option(typed, of: command, options, tree) }
        let argument =
            places < command.arguments.count
            ? command.arguments[places] : command.arguments.last.flatMap { $0.isRepeated ? $0 : nil }
        return value(argument?.completion ?? .nothing, typed, "", options, tree)
    }

    /// Notes an option that was typed.
    ///
    /// - Returns: The option, where its value is the next word.
    private static func take(
        _ word: String, of command: CommandDescription, _ values: inout [String: [String]]
    ) -> CommandDescription.Option? {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let option =
            word.hasPrefix("--")
            ? command.options.first { "--" + $0.name == parts.first }
            : command.options.first { $0.short == word.dropFirst().first }
        guard let option else { return nil }
        if option.value == nil {
            values[option.name] = [""]
        } else if word.hasPrefix("--"), parts.count == 2 {
            values[option.name, default: []].append(parts[1])
        } else if !word.hasPrefix("--"), word.count > 2 {
            values[option.name, default: []].append(String(word.dropFirst(2)))
        } else {
            return option
        }
        return nil
    }

    private static func option(
        _ typed: String, of command: CommandDescription, _ given: Options, _ tree: CommandTree
    ) -> Completion {
        let parts = typed.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        if parts.count == 2, let option = command.options.first(where: { "--" + $0.name == parts[0] }) {
            return value(option.completion, parts[1], parts[0] + "=", given, tree)
        }
        let free = command.options.filter { $0.isRepeated || !given.has($0.name) }
        let candidates = free.map { Candidate("--" + $0.name, $0.summary) } + [Candidate("--help", "print the help")]
        return Completion(candidates.filter { $0.word.hasPrefix(typed) })
    }

    private static func value(
        _ kind: CompletionKind, _ typed: String, _ prefix: String, _ options: Options, _ tree: CommandTree
    ) -> Completion {
        switch kind {
        case .nothing: return Completion([])
        case .words(let words):
            return Completion(words.filter { $0.hasPrefix(typed) }.map { Candidate(prefix + $0) })
        case .commands:
            return Completion(firstWords(tree, isHelp: true).filter { $0.word.hasPrefix(typed) })
        default: return Completion([], wanted: kind, typed: typed, prefix: prefix, options: options)
        }
    }

    /// What the shells' scripts read: a candidate a line, a tab before its meaning, and what to do besides, as a number.
    ///
    /// The numbers are those of Cobra, which kubectl's plugins speak as well: 4 is nothing, 0 files, 16 folders.
    ///
    /// - Parameter found: What was found of what is ``wanted``.
    public func answer(found: [String] = []) -> String {
        let all = candidates + found.filter { $0.hasPrefix(typed) }.map { Candidate(prefix + $0) }
        let lines = all.map { $0.summary.isEmpty ? $0.word : "\($0.word)\t\($0.summary)" }
        let directive = wanted == .file ? 0 : wanted == .folder ? 16 : 4
        return (lines + [":\(directive)"]).joined(separator: "\n") + "\n"
    }
}
