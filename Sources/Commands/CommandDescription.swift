/// What a command is called, what it takes, and the text that teaches it.
///
/// Help, completion and the manual page are made from it, so that no two of them can disagree.
public struct CommandDescription: Sendable {
    /// An option, written `--name VALUE`, or `--name` where it takes no value.
    public struct Option: Sendable {
        /// The name without its dashes.
        public let name: String
        /// One letter that means the same after a single dash.
        public let short: Character?
        /// The word for its value in the help, or nil for a flag.
        public let value: String?
        /// Whether it may be given several times, each counting.
        public let isRepeated: Bool
        /// What its value may be, for completion.
        public let completion: CompletionKind
        /// What it does, in one line.
        public let summary: String

        /// Describes an option.
        public init(
            _ name: String, short: Character? = nil, value: String? = nil, isRepeated: Bool = false,
            completion: CompletionKind = .nothing, _ summary: String
        ) {
            self.name = name
            self.short = short
            self.value = value
            self.isRepeated = isRepeated
            self.completion = completion
            self.summary = summary
        }
    }

    /// A word that has its meaning by its place.
    public struct Argument: Sendable {
        /// The name, as it stands between angle brackets in the help.
        public let name: String
        /// Whether it may be left out.
        public let isOptional: Bool
        /// Whether it takes all the words that are left; only the last one does.
        public let isRepeated: Bool
        /// What it may be, for completion.
        public let completion: CompletionKind
        /// What it is, in one line.
        public let summary: String

        /// Describes an argument.
        public init(
            _ name: String, isOptional: Bool = false, isRepeated: Bool = false, completion: CompletionKind = .nothing,
            _ summary: String
        ) {
            self.name = name
            self.isOptional = isOptional
            self.isRepeated = isRepeated
            self.completion = completion
            self.summary = summary
        }
    }

    /// What is typed after `farebox`: one word or two.
    public let name: String
    /// Other names for the same.
    public let aliases: [String]
    /// Where the list of commands shows it.
    public let section: CommandSection
    /// One line for the list of commands.
    public let summary: String
    /// What it does, for its own help page.
    ///
    /// Lines that begin with two spaces stay as they are, others are broken anew where the page needs it.
    public let discussion: String
    /// What it takes by place.
    public let arguments: [Argument]
    /// What it takes by name.
    public let options: [Option]
    /// Options of other commands that mean nothing here, by name, with what somebody who types one is told.
    public let refusedOptions: [String: String]
    /// Whole lines that work as they stand, each beginning with `farebox` or with what comes before a pipe.
    public let examples: [String]

    /// Describes a command.
    public init(
        _ name: String, aliases: [String] = [], section: CommandSection = .process, _ summary: String,
        discussion: String = "", arguments: [Argument] = [], options: [Option] = [],
        refusedOptions: [String: String] = [:], examples: [String] = []
    ) {
        self.name = name
        self.aliases = aliases
        self.section = section
        self.summary = summary
        self.discussion = discussion
        self.arguments = arguments
        self.options = options
        self.refusedOptions = refusedOptions
        self.examples = examples
    }

    /// Whether it is called so.
    func isCalled(_ word: String) -> Bool { name == word || aliases.contains(word) }
}

/// The parts of the list of commands, in their order.
public enum CommandSection: String, CaseIterable, Sendable {
    /// What begins with a folder of source.
    case folder = "FROM A FOLDER TO A FUNCTION"
    /// What concerns functions that are deployed.
    case function = "FUNCTIONS"
    /// What functions need: Secrets, repositories, payments.
    case platform = "SECRETS, REPOSITORIES, PAYMENTS"
    /// What concerns this program and the cluster behind it.
    case program = "THIS PROGRAM"
    /// The processes of an installation, and its administrator's tools.
    case process = "PROCESSES AND TOOLS OF AN INSTALLATION"
}

/// What an argument or the value of an option may be, for completion.
public enum CompletionKind: Hashable, Sendable {
    /// Nothing that could be listed.
    case nothing
    /// A file.
    case file
    /// A folder.
    case folder
    /// One of these words.
    case words([String])
    /// Functions of the cluster.
    case functions
    /// Repositories of the cluster.
    case repositories
    /// Secrets of functions.
    case secrets
    /// Namespaces of the cluster.
    case namespaces
    /// Names of commands.
    case commands
}
