import Commands
import Glibc
import Telemetry

/// The one executable of the product: each process is a subcommand.
@main
struct Farebox {
    static func main() async {
        let words = Array(CommandLine.arguments.dropFirst())
        do {
            try await run(words)
        } catch let error as UsageError {
            say("farebox: \(error)\n")
            exit(2)
        } catch {
            say("farebox \(words.first ?? ""): \(error)\n")
            exit(1)
        }
    }

    /// Finds the subcommand and runs it.
    private static func run(_ words: [String]) async throws {
        guard let name = words.first else { throw UsageError("a command is missing; see: farebox help") }
        if ["help", "--help", "-h"].contains(name) {
            print(CommandList.help(subcommands.map(\.description)), terminator: "")
            return
        }
        // Some commands have two words, such as `ledger check`.
        let pair = words.prefix(2).joined(separator: " ")
        guard let command = subcommands.first(where: { [name, pair].contains($0.description.name) }) else {
            let longer = subcommands.map(\.description).filter { $0.name.hasPrefix(name + " ") }
            guard longer.isEmpty else {
                guard words.contains("--help") || words.contains("-h") else {
                    throw UsageError("say which: " + longer.map(\.name).joined(separator: ", "))
                }
                print(CommandList.help(longer), terminator: "")
                return
            }
            throw UsageError("there is no command '\(name)'; see: farebox help")
        }
        let rest = Array(words.dropFirst(command.description.name == name ? 1 : 2))
        guard !rest.contains("--help"), !rest.contains("-h") else {
            print(command.description.help, terminator: "")
            return
        }
        let options = Options(try command.description.parse(rest))
        try await command.run(options)
    }

    private static let subcommands = [
        Subcommand(OperatorCommand.description, OperatorCommand.run),
        Subcommand(WebhookCommand.description, WebhookCommand.run),
        Subcommand(GatewayCommand.description, GatewayCommand.run),
        Subcommand(AdminCommand.description, AdminCommand.run),
        Subcommand(BuilderCommand.description, BuilderCommand.run),
        Subcommand(PaymentsCommand.description, PaymentsCommand.run),
        Subcommand(LedgerCommand.check, LedgerCommand.runCheck),
        Subcommand(LedgerCommand.export, LedgerCommand.runExport),
        Subcommand(LedgerCommand.statement, LedgerCommand.runStatement),
        Subcommand(AsyncCommand.list, AsyncCommand.runList),
        Subcommand(AsyncCommand.show, AsyncCommand.runShow),
        Subcommand(AsyncCommand.replay, AsyncCommand.runReplay),
        Subcommand(AsyncCommand.drop, AsyncCommand.runDrop),
        Subcommand(CRDsCommand.description, CRDsCommand.run),
        Subcommand(BuildJobCommand.description, BuildJobCommand.run),
        Subcommand(VersionCommand.description, VersionCommand.run),
    ]

    private static func say(_ text: String) {
        _ = text.withCString { write(2, $0, strlen($0)) }
    }
}

/// A word after `farebox`, and what it does.
struct Subcommand: Sendable {
    let description: CommandDescription
    let run: @Sendable (Options) async throws -> Void

    init(_ description: CommandDescription, _ run: @escaping @Sendable (Options) async throws -> Void) {
        self.description = description
        self.run = run
    }
}

/// The options that were typed, by name.
struct Options: Sendable {
    private let values: [String: String]

    init(_ values: [String: String]) { self.values = values }

    subscript(_ name: String) -> String? { values[name] }

    /// A number in a range.
    ///
    /// - Throws: `UsageError` for anything else.
    func number<Number: FixedWidthInteger>(_ name: String) throws -> Number? {
        guard let text = values[name] else { return nil }
        guard let number = Number(text) else {
            throw UsageError("--\(name): \"\(text)\" is not a number from \(Number.min) to \(Number.max)")
        }
        return number
    }

    /// An option without which the command makes no sense.
    func required(_ name: String) throws -> String {
        guard let value = values[name], !value.isEmpty else { throw UsageError("--\(name) is missing") }
        return value
    }
}
