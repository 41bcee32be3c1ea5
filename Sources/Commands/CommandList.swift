/// Every subcommand of the executable, and the page that lists them.
public enum CommandList {
    /// Returns the page that `farebox help` prints.
    public static func help(_ commands: [CommandDescription]) -> String {
        """
        farebox: push to Git, and it runs on your cluster as a function with a URL.

        USAGE
          farebox <command> [options]

        COMMANDS
        \(CommandDescription.columns(commands.map { ($0.name, $0.summary) }))
        farebox <command> --help tells more. Exit codes: 0 done, 1 failed, 2 not understood.

        """
    }
}
