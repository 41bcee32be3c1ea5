extension CommandTree {
    /// What a person is told of a failure, and what the process ends with.
    ///
    /// - Parameters:
    ///   - error: What a command threw.
    ///   - words: What was typed after the program's name.
    public func report(_ error: any Error, after words: [String]) -> (text: String, code: ExitCode) {
        switch error {
        case let error as UsageError:
            let more = error.command.map { "; see: \(program) \($0) --help" } ?? ""
            return ("\(program): \(error.description)\(more)\n", .usage)
        case let failure as CommandFailure:
            let advice = failure.advice.map { "  \(CommandDescription.speak($0, as: program))\n" } ?? ""
            return ("\(program) \(name(words)): \(failure.description)\n\(advice)", failure.code)
        default:
            return ("\(program) \(name(words)): \(error)\n", .failed)
        }
    }

    private func name(_ words: [String]) -> String { find(words)?.0.description.name ?? words.first ?? "" }
}
