import CRDs
import Commands
import KubernetesClient
import KubernetesTypes
import Timing

/// `farebox remove`.
enum RemoveCommand {
    static let description = CommandDescription(
        "remove", aliases: ["rm", "delete"], section: .function, "removes functions",
        discussion: """
            Removes functions with everything that runs for them. One that a repository deploys
            is refused: take it out of the stack file, or remove the repository, since its next
            push would bring the function back.
            """,
        arguments: [.init("function", isRepeated: true, completion: .functions, "names")],
        options: [
            .init("ignore-absent", "do nothing where there is none of the name"),
            .init("wait", short: "w", "wait until they are gone"),
            .init("timeout", value: "TIME", "how long to wait (default 5m)"),
        ] + Server.options,
        examples: ["farebox remove hello", "farebox remove hello goodbye --wait"])

    static func run(_ options: Options, _ console: Console) async throws {
        if let server = try await Server.chosen(options, console) {
            return try await run(options, console, on: server)
        }
        let names = options.arguments("function")
        let limit = try options.duration("timeout") ?? FunctionWait.limitDefault
        let cluster = try Cluster(options, console)
        let progress = Progress(console)
        defer { progress.end() }
        // All of them are looked at before the first one goes, so that a slip of the finger removes nothing.
        var functions: [Function] = []
        for name in names {
            do {
                let function = try await cluster.function(name).object
                try Cluster.requireOwn(function, to: "removing it")
                functions.append(function)
            } catch let failure as CommandFailure where failure.code == .notFound && options.has("ignore-absent") {
                continue
            }
        }
        for function in functions {
            let name = function.metadata.name
            try await about(Cluster.title(Function.self, name, cluster.namespace)) {
                do {
                    try await cluster.api.delete(
                        Function.self, function.key, options: DeleteOptions(uid: function.metadata.uid))
                } catch let error as KubernetesError where error.isNotFound {
                    // Somebody was faster, and it is gone as it should be.
                }
            }
            if options.has("wait") { try await FunctionWait(cluster, progress).untilGone(name, limit: limit) }
            console.note("function \(name) in namespace \(cluster.namespace): removed")
        }
    }
}
