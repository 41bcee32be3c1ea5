extension CommandTree {
    /// The page that `farebox help` prints.
    public var help: String {
        var text = """
            \(program): from a folder or a push to a function with a URL, on your cluster.

            USAGE
              \(program) <command> [options]

            """
        for section in CommandSection.allCases {
            let commands = subcommands.map(\.description).filter { $0.section == section }
            guard !commands.isEmpty else { continue }
            text += "\n\(section.rawValue)\n" + HelpText.columns(commands.map { ($0.name, $0.summary) })
        }
        return text + "\n" + closing
    }

    /// A page that lists some commands.
    func list(_ commands: [CommandDescription]) -> String {
        "COMMANDS\n" + HelpText.columns(commands.map { ($0.name, $0.summary) }) + "\n" + closing
    }

    private var closing: String {
        let codes = ExitCode.allCases.map { "\($0.rawValue) \($0.meaning)" }.joined(separator: ", ")
        return FoldedText.lines(
            "\(program) <command> --help tells more. Exit codes: \(codes).", width: HelpText.columnsMaximum
        ).map { $0 + "\n" }.joined()
    }
}
