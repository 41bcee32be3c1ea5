import Testing

@testable import Commands

@Suite("Every command together")
struct CommandTreeTests {
    private static func command(_ description: CommandDescription) -> Subcommand { Subcommand(description) { _ in } }
    private let tree = CommandTree(
        [
            command(
                CommandDescription(
                    "list", aliases: ["ls"], section: .function, "lists things",
                    options: [
                        .init("output", short: "o", value: "FORMAT", completion: .words(["json", "name"]), "how"),
                        .init("kubeconfig", value: "FILE", completion: .file, "where"),
                    ])),
            command(
                CommandDescription(
                    "secret set", section: .platform, "makes one",
                    arguments: [.init("name", completion: .secrets, "it")],
                    options: [.init("for", value: "NAME", completion: .functions, "whose")],
                    examples: ["farebox secret set key", "cat key | farebox secret set key"])),
            command(CommandDescription("secret list", section: .platform, "lists them")),
        ])

    private func name(_ words: [String], _ tree: CommandTree) throws -> String {
        guard case .run(let command, _) = try tree.request(words) else { return "page" }
        return command.description.name
    }

    @Test(
        "A command is found by its words or by another name",
        arguments: [(["ls"], "list"), (["secret", "set", "x"], "secret set"), (["list", "--help"], "page")])
    func finds(words: [String], expected: String) throws {
        #expect(try name(words, tree) == expected)
    }

    @Test(
        "What does not exist is refused with a way on",
        arguments: [([], "farebox help"), (["lost"], "did you mean 'list'?"), (["secret"], "secret set, secret list")])
    func refuses(words: [String], told: String) {
        let error = #expect(throws: UsageError.self) { try tree.request(words) }

        #expect(error?.description.contains(told) == true)
    }

    @Test("Help speaks of the program as it was called")
    func kubectl() throws {
        let program = CommandTree.program(calledAs: "/usr/local/bin/kubectl-farebox")
        let tree = CommandTree(tree.subcommands, program: program)

        guard case .show(let page) = try tree.request(["secret", "set", "-h"]) else { return #expect(Bool(false)) }

        #expect(page.contains("  kubectl farebox secret set key\n"))
        #expect(page.contains("  cat key | kubectl farebox secret set key\n"))
        #expect(CommandTree.program(calledAs: "./farebox") == "farebox")
    }

    @Test(
        "A failure is told with what to do next, and ends the process with its own code",
        arguments: [
            (
                CommandFailure(.notFound, "no", advice: "farebox list") as any Error,
                "farebox list: no\n  farebox list\n", 3
            ),
            (UsageError("what?", command: "list") as any Error, "farebox: what?; see: farebox list --help\n", 2),
        ])
    func reports(error: any Error, text: String, code: Int32) {
        let report = tree.report(error, after: ["ls", "x"])

        #expect(report.text == text)
        #expect(report.code.rawValue == code)
    }

    @Test(
        "A word is completed by what may stand there",
        arguments: [
            ([""], ["list", "secret", "help"]), (["se"], ["secret"]), (["secret", ""], ["set", "list"]),
            (["help", "s"], ["secret"]), (["list", "--o"], ["--output"]), (["list", "-o", "j"], ["json"]),
            (["list", "--output=n"], ["--output=name"]), (["list", "-o", "json", "-"], ["--kubeconfig", "--help"]),
            (["nothing", ""], []), ([], ["list", "secret", "help"]),
        ])
    func completes(words: [String], expected: [String]) {
        #expect(Completion(words, in: tree).candidates.map(\.word) == expected)
    }

    @Test("What the cluster knows is asked for with the options that choose it")
    func wants() {
        let name = Completion(["secret", "set", "--for", "hello", "k"], in: tree)
        let function = Completion(["secret", "set", "--for=he"], in: tree)
        let file = Completion(["list", "--kubeconfig", ""], in: tree)

        #expect(name.wanted == .secrets)
        #expect(name.options["for"] == "hello")
        #expect(name.answer(found: ["key", "other"]) == "key\n:4\n")
        #expect(function.answer(found: ["hello"]) == "--for=hello\n:4\n")
        #expect(file.answer() == ":0\n")
    }

    @Test("The manual has every command, option and exit code, and nothing in it is taken for a request")
    func manual() {
        let page = ManualPage(tree, version: "1").text

        for part in [".SS farebox secret set <name> [options]", "\\-\\-kubeconfig FILE", ".B 5\ntimed out", ".nf"] {
            #expect(page.contains(part))
        }
        let requests = Set(page.split(separator: "\n").filter { $0.first == "." }.map { $0.split(separator: " ")[0] })
        #expect(requests.isSubset(of: [".TH", ".SH", ".SS", ".TP", ".PP", ".B", ".I", ".BR", ".nf", ".fi"]))
    }
}
