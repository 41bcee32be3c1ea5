import CRDs
import Commands
import JSON
import KubernetesClient
import KubernetesTypes
import Timing

/// `farebox rollback`.
enum RollbackCommand {
    static let description = CommandDescription(
        "rollback", section: .function, "puts an earlier image of a function back",
        discussion: """
            Puts the image back that ran before, or the one that --to names. What can be gone
            back to is known from the last rollouts and, for functions of a repository, from
            the images that its status remembers; --list shows it.

            What a repository deploys, it would deploy again: so such a function is refused
            unless --suspend says to suspend the repository first. It builds and deploys
            nothing until spec.suspend is taken away.
            """,
        arguments: [.init("function", completion: .functions, "the function's name")],
        options: [
            .init("to", value: "DIGEST", "the image to put back: the first digits of its digest, or its whole name"),
            .init("list", short: "l", "show what can be gone back to, and change nothing"),
            .init("suspend", "suspend the repository that deploys it first"),
            .init("wait", short: "w", "wait until it runs"),
            .init("timeout", value: "TIME", "how long to wait (default 5m)"),
            OutputFormat.option,
        ] + Cluster.options,
        refusedOptions: Server.refusal,
        examples: [
            "farebox rollback hello --list", "farebox rollback hello --wait", "farebox rollback hello --to 4bf92f35",
        ])

    static func run(_ options: Options, _ console: Console) async throws {
        let format = try OutputFormat(options)
        let limit = try options.duration("timeout") ?? FunctionWait.limitDefault
        let name = try options.requiredArgument("function")
        try await Server.refuse("rollback", options, console)
        let cluster = try Cluster(options, console)
        let progress = Progress(console)
        defer { progress.end() }
        progress.begin("looking for earlier images")
        let function = try await cluster.function(name).object
        let history = try await ImageHistory.read(function, cluster)
        progress.end()
        if options.has("list") { return try console.show(finding(history, name), as: format) }
        let image = try history.target(options["to"], of: function)
        if let repository = function.spec.source?.repository {
            try await suspend(repository, for: function, cluster, isAllowed: options.has("suspend"), console)
        } else {
            try Cluster.requireOwn(function, to: "putting an image back")
        }
        try await about(Cluster.title(Function.self, name, cluster.namespace)) {
            // Somebody who deploys at the same time wins: what was looked at is not what is there any more.
            let change: JSONValue = [
                "metadata": ["resourceVersion": .string(function.metadata.resourceVersion)],
                "spec": ["image": .string(image)],
            ]
            _ = try await cluster.api.patch(Function.descriptor, function.key, .merge(change))
        }
        console.note("function \(name) in namespace \(cluster.namespace): back to \(TerminalText.line(image))")
        if options.has("wait") { _ = try await FunctionWait(cluster, progress).untilReady(name, limit: limit) }
    }

    private static func suspend(
        _ name: String, for function: Function, _ cluster: Cluster, isAllowed: Bool, _ console: Console
    ) async throws {
        let title = Cluster.title(Repository.self, name, cluster.namespace)
        try await about(title) {
            let repository = try await cluster.api.get(Repository.self, cluster.key(name))
            guard repository.spec.suspend != true else { return }
            guard isAllowed else {
                throw CommandFailure(
                    .refused,
                    "function \(function.metadata.name) is deployed by the repository \(name), which would deploy its own "
                        + "image again",
                    advice: "revert the commit and push, or: farebox rollback \(function.metadata.name) --suspend")
            }
            _ = try await cluster.api.patch(
                Repository.descriptor, cluster.key(name), .merge(["spec": ["suspend": true]]))
            console.note(
                "\(title): suspended; to go on: kubectl patch repository \(name) -n \(cluster.namespace) "
                    + "--type merge -p '{\"spec\":{\"suspend\":false}}'")
        }
    }

    private static func finding(_ history: ImageHistory, _ name: String) -> Finding {
        var table = Table(["", "DIGEST", "FROM", "IMAGE"])
        for entry in history.entries {
            let isCurrent = entry.image == history.current
            table.add([
                Table.Cell(isCurrent ? "*" : " ", .good), Table.Cell(entry.shortDigest), Table.Cell(entry.source),
                Table.Cell(entry.name),
            ])
        }
        let items = history.entries.map { entry -> JSONValue in
            [
                "image": .string(entry.image), "from": .string(entry.source),
                "current": .bool(entry.image == history.current),
            ]
        }
        return Finding(
            table: table, value: .array(items), names: history.entries.map(\.image),
            absence: "Nothing is known of earlier images of function \(name).")
    }
}
