extension CommandDescription {
    /// The page that `farebox <name> --help` prints.
    public var help: String { help(program: "farebox") }

    /// The page for somebody who calls the program by another name.
    ///
    /// - Parameter program: `farebox`, or `kubectl farebox`.
    public func help(program: String) -> String {
        let title = FoldedText.lines("\(program) \(name): \(summary)", width: HelpText.columnsMaximum)
        var text = title.joined(separator: "\n") + "\n\nUSAGE\n" + usage(program)
        if !aliases.isEmpty { text += "\nALSO\n  " + aliases.map { "\(program) \($0)" }.joined(separator: ", ") + "\n" }
        if !discussion.isEmpty { text += "\n\(HelpText.flowed(Self.speak(discussion, as: program)))\n" }
        if !arguments.isEmpty {
            text += "\nARGUMENTS\n" + HelpText.columns(arguments.map { ("<\($0.name)>", $0.summary) })
        }
        text += "\nOPTIONS\n" + HelpText.columns(optionRows)
        if !examples.isEmpty {
            text += "\nEXAMPLES\n" + examples.map { "  \(Self.speak($0, as: program))\n" }.joined()
        }
        return text
    }

    /// What is typed, in one line: the name, then arguments, then options.
    var synopsis: String {
        var words = [name]
        for argument in arguments {
            let word = "<\(argument.name)>" + (argument.isRepeated ? "…" : "")
            words.append(argument.isOptional ? "[\(word)]" : word)
        }
        if !options.isEmpty { words.append("[options]") }
        return words.joined(separator: " ")
    }

    /// The options with what each does, in the order they were described.
    var optionRows: [(String, String)] {
        let hasShort = options.contains { $0.short != nil }
        let indent = hasShort ? "    " : ""
        let rows = options.map { option in
            let short = option.short.map { "-\($0), " } ?? indent
            return (short + "--\(option.name)" + (option.value.map { " \($0)" } ?? ""), option.summary)
        }
        return rows + [((hasShort ? "-h, " : "") + "--help", "print this")]
    }

    private func usage(_ program: String) -> String { "  \(program) \(synopsis)\n" }

    /// Puts the name the program was called by into a text that says `farebox`, where it stands for a command.
    static func speak(_ text: String, as program: String) -> String {
        guard program != "farebox" else { return text }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            var spoken: [Substring] = []
            for word in line.split(separator: " ", omittingEmptySubsequences: false) {
                // A command stands at the beginning of a line, after two spaces, or after a sign that ends what was before.
                let begins = spoken.last.map { $0.last.map { "|&;:$(".contains($0) } ?? true } ?? true
                spoken.append(word == "farebox" && begins ? program[...] : word)
            }
            return spoken.joined(separator: " ")
        }
        return lines.joined(separator: "\n")
    }
}
