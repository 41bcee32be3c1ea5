import Commands

/// The file that keeps ``ServerAccounts``: `servers.json` below `$XDG_CONFIG_HOME/farebox`, else `~/.config/farebox`.
///
/// Nobody but its owner may read it. Two logins at once leave what the later one knew.
struct AccountsFile: Sendable {
    let path: String

    /// Some servers; credentials are at most 32 KiB each.
    private static let bytesMaximum = 4 << 20

    /// Finds the place.
    ///
    /// - Throws: `CommandFailure` where there is no home.
    init(_ console: Console) throws(CommandFailure) {
        // https://specifications.freedesktop.org/basedir-spec: a path that is not absolute is to be ignored.
        if let folder = console.variable("XDG_CONFIG_HOME"), folder.hasPrefix("/") {
            path = folder + "/farebox/servers.json"
        } else if let home = console.variable("HOME") {
            path = home + "/.config/farebox/servers.json"
        } else {
            throw CommandFailure("there is no place for credentials: the variable HOME is not set")
        }
    }

    /// Reads it; no file is nobody's login.
    ///
    /// - Throws: `CommandFailure`.
    func read() async throws -> ServerAccounts {
        guard let bytes = try await SmallFile.read(path, bytesMaximum: Self.bytesMaximum) else {
            return ServerAccounts()
        }
        do {
            return try ServerAccounts(bytes)
        } catch {
            throw CommandFailure(
                "\(TerminalText.line(path)): \(error)", advice: "remove the file and log in again: farebox login URL")
        }
    }

    /// Writes it, whole or not at all.
    ///
    /// - Throws: `CommandFailure`.
    func write(_ accounts: ServerAccounts) async throws {
        try await SmallFile.replacePrivate(path, with: accounts.bytes)
    }
}
