import CommandLine
import Commands
import Glibc
import Telemetry

/// The one executable of the product: each process, and each thing a person types, is a subcommand.
@main
struct Farebox {
    static func main() async {
        let code = await run()
        fflush(nil)
        // Not `exit`, which takes OpenSSL apart while threads of connections that are just closing may still be in it.
        _exit(code)
    }

    /// Does what the words of the command line say, and returns the exit code.
    private static func run() async -> Int32 {
        let path = CommandLine.arguments.first ?? ""
        let words = Array(CommandLine.arguments.dropFirst())
        let program = CommandTree.program(calledAs: path)
        let console = Console.ofProcess(program: program)
        let tree = Self.tree(console)
        // kubectl runs a file of this name for the completion of `kubectl farebox`.
        if path.split(separator: "/").last == "kubectl_complete-farebox" {
            await CompletionCommand.answer(words, tree, console)
            return 0
        }
        if words.first == "__complete" {
            await CompletionCommand.answer(Array(words.dropFirst()), tree, console)
            return 0
        }
        do {
            switch try tree.request(words) {
            case .show(let page): print(page, terminator: "")
            case .run(let command, let options): try await command.run(options)
            }
            return 0
        } catch {
            let report = tree.report(error, after: words, width: console.errorsWidth)
            say(report.text)
            return report.code.rawValue
        }
    }

    /// Every command.
    private static func tree(_ console: Console) -> CommandTree {
        let ofProgram = [
            Subcommand(CompletionCommand.description) { try CompletionCommand.run($0, console) },
            Subcommand(ManCommand.description) { _ in
                ManCommand.run(tree(console), version: VersionCommand.version, console)
            },
            Subcommand(VersionCommand.description, VersionCommand.run),
        ]
        return CommandTree(PersonCommands.all(console) + ofProgram + processes, program: console.program)
    }

    private static let processes = [
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
    ]

    private static func say(_ text: String) {
        _ = text.withCString { write(2, $0, strlen($0)) }
    }
}
