import Commands

/// `farebox logout`.
enum LogoutCommand {
    static let description = CommandDescription(
        "logout", section: .program, "forgets the credentials for a server",
        discussion: """
            Removes what farebox login kept. The server is not told: a token is good until it
            ends.
            """,
        arguments: [
            .init("server", isOptional: true, "the server's URL (default: FAREBOX_SERVER, else the last login)")
        ],
        examples: ["farebox logout", "farebox logout https://faas.example.com"])

    static func run(_ options: Options, _ console: Console) async throws {
        let file = try AccountsFile(console)
        var accounts = try await file.read()
        let text =
            options.argument("server") ?? console.variable(Server.variable) ?? console.variable(Server.faasoVariable)
        guard let address = try text.map({ text throws(UsageError) in try ServerAddress(text) }) ?? accounts.current
        else { throw CommandFailure(.notFound, "you are not logged in to any server") }
        guard accounts.logOut(address) else {
            throw CommandFailure(.notFound, "you are not logged in to \(address.url)")
        }
        try await file.write(accounts)
        console.note("logged out of \(address.url)")
    }
}
