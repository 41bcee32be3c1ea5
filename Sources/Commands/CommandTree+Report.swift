extension CommandTree {
    /// What a person is told of a failure, and what the process ends with.
    ///
    /// - Parameters:
    ///   - error: What a command threw.
    ///   - words: What was typed after the program's name.
    ///   - width: Columns of the terminal that reads it; nil where a program does. What to do next stays in one line, to be copied.
    public func report(
        _ error: any Error, after words: [String], width: Int? = nil
    ) -> (text: String, code: ExitCode) {
        func folded(_ text: String) -> String { FoldedText.hanging(text, width: width, indent: 4) + "\n" }
        switch error {
        case let error as UsageError:
            let more = error.command.map { "; see: \(program) \($0) --help" } ?? ""
            return (folded("\(program): \(error.description)\(more)"), .usage)
        case let failure as CommandFailure:
            let advice = failure.advice.map { "  \(CommandDescription.speak($0, as: program))\n" } ?? ""
            return (folded("\(program) \(name(words)): \(failure.description)") + advice, failure.code)
        default:
            return (folded("\(program) \(name(words)): \(error)"), .failed)
        }
    }

    private func name(_ words: [String]) -> String { find(words)?.0.description.name ?? words.first ?? "" }
}
