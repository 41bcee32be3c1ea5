/// A command and what it does.
public struct Subcommand: Sendable {
    /// What it is called and takes.
    public let description: CommandDescription
    /// Does it.
    public let run: @Sendable (Options) async throws -> Void

    /// Binds a description to what it describes.
    public init(_ description: CommandDescription, _ run: @escaping @Sendable (Options) async throws -> Void) {
        self.description = description
        self.run = run
    }
}
