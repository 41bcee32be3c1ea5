/// Something typed that cannot be understood; the process ends with exit code 2.
public struct UsageError: Error, CustomStringConvertible {
    /// What was wrong and how to mend it.
    public let description: String
    /// The command whose help tells more; nil where the description does.
    public let command: String?

    /// Wraps the message.
    ///
    /// - Parameters:
    ///   - description: What was wrong and how to mend it.
    ///   - command: The command whose help tells more.
    public init(_ description: String, command: String? = nil) {
        self.description = description
        self.command = command
    }
}

/// How something that was typed is shown in a message.
enum Shown {
    /// A message is read by a person.
    private static let charactersMaximum = 60

    /// Shortens a long word.
    static func word(_ word: String) -> String {
        word.count <= charactersMaximum ? word : word.prefix(charactersMaximum) + "…"
    }
}
