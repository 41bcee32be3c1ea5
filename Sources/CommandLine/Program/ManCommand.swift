public import Commands

/// `farebox man`.
public enum ManCommand {
    /// Of `farebox man`.
    public static let description = CommandDescription(
        "man", section: .program, "prints the manual page",
        discussion: "Prints the manual page of all commands, for man.",
        examples: ["farebox man | man -l -", "farebox man > /usr/local/share/man/man1/farebox.1"])

    /// Prints the page.
    public static func run(_ tree: CommandTree, version: String, _ console: Console) {
        console.write(Array(ManualPage(tree, version: version).text.utf8))
    }
}
