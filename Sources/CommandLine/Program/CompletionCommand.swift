import CRDs
public import Commands
import KubernetesClient
import KubernetesTypes
import Timing

/// `farebox completion`, and what its scripts ask.
public enum CompletionCommand {
    /// Of `farebox completion`.
    public static let description = CommandDescription(
        "completion", section: .program, "prints what makes your shell complete commands",
        discussion: """
            Prints a script for your shell that completes commands, options, and the names of
            your functions, repositories and Secrets. To switch it on:
            \(CompletionScript.allCases.map { "  " + $0.installation }.joined(separator: "\n"))
            kubectl completes `kubectl farebox` when a link kubectl_complete-farebox to
            farebox is in the PATH.
            """,
        arguments: [
            .init("shell", completion: .words(CompletionScript.allCases.map(\.rawValue)), "bash, zsh or fish")
        ],
        examples: ["farebox completion bash > /etc/bash_completion.d/farebox"])

    /// Prints a shell's script.
    public static func run(_ options: Options, _ console: Console) throws {
        let name = try options.requiredArgument("shell")
        guard let script = CompletionScript(rawValue: name) else {
            throw UsageError("<shell>: '\(TerminalText.line(String(name.prefix(40))))' is none of bash, zsh, fish")
        }
        console.write(Array(script.text.utf8))
    }

    /// A shell waits for the answer while somebody looks at the cursor.
    private static let limit = Duration.seconds(3)

    /// Answers a shell's script: what the last word may become.
    ///
    /// A cluster that does not answer completes nothing, and says nothing.
    public static func answer(_ words: [String], _ tree: CommandTree, _ console: Console) async {
        let completion = Completion(words, in: tree)
        let found: [String]? = try? await withDeadline(limit) { try await names(completion, console) }
        console.write(Array(completion.answer(found: found ?? []).utf8))
    }

    private static func names(_ completion: Completion, _ console: Console) async throws -> [String] {
        switch completion.wanted {
        case .functions: try await names(Function.self, nil, completion, console)
        case .repositories: try await names(Repository.self, nil, completion, console)
        case .secrets:
            try await names(Secret.self, "\(FareboxLabel.functionSecret)=true", completion, console)
        case .namespaces: try await names(Namespace.self, nil, completion, console)
        default: []
        }
    }

    /// The names of a kind; nothing but metadata is asked for.
    private static func names<Resource: KubernetesResource>(
        _ type: Resource.Type, _ selector: String?, _ completion: Completion, _ console: Console
    ) async throws -> [String] {
        // Names of the kubeconfig's cluster would be another's.
        guard !completion.options.has("server") else { return [] }
        let cluster = try Cluster(completion.options, console)
        return try await cluster.metadata(of: type, selector: selector).map(\.name)
    }
}
