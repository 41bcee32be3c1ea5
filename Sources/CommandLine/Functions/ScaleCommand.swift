import CRDs
import Commands
import JSON
import KubernetesClient
import KubernetesTypes
import Timing

/// `farebox scale`.
enum ScaleCommand {
    static let description = CommandDescription(
        "scale", section: .function, "sets how many replicas a function has",
        discussion: """
            Sets the number of replicas, as `kubectl scale` does. 0 stops a function, or lets it
            sleep until the next call where it scales by itself. A number outside of the
            function's range is refused.
            """,
        arguments: [
            .init("function", completion: .functions, "the function's name"), .init("replicas", "how many"),
        ],
        options: [
            .init("wait", short: "w", "wait until they take calls"),
            .init("timeout", value: "TIME", "how long to wait (default 5m)"),
        ] + Server.options,
        examples: ["farebox scale hello 3", "farebox scale hello 0"])

    static func run(_ options: Options, _ console: Console) async throws {
        let name = try options.requiredArgument("function")
        let text = try options.requiredArgument("replicas")
        guard let replicas = Int32(text), replicas >= 0 else {
            throw UsageError("<replicas>: '\(TerminalText.line(String(text.prefix(20))))' is no number of replicas")
        }
        let limit = try options.duration("timeout") ?? FunctionWait.limitDefault
        if let server = try await Server.chosen(options, console) {
            return try await run(name, to: replicas, options, console, on: server)
        }
        let cluster = try Cluster(options, console)
        let progress = Progress(console)
        defer { progress.end() }
        let function = try await cluster.function(name).object
        if let failure = refusal(function, replicas) { throw failure }
        _ = try await about(Cluster.title(Function.self, name, cluster.namespace)) {
            try await cluster.api.patch(
                Function.descriptor, cluster.key(name),
                .merge(["spec": ["replicas": .integer(Int64(replicas))]]), subresource: "scale")
        }
        console.note("function \(name): \(function.desiredReplicas) → \(replicas) replicas")
        if function.spec.scale?.targetConcurrency != nil, !function.canSleep || replicas > 0 {
            console.note("it follows the load (spec.scale.targetConcurrency), which will change the number again")
        }
        if options.has("wait") { _ = try await FunctionWait(cluster, progress).untilReady(name, limit: limit) }
    }

    /// Why a function cannot have so many replicas; nil when it can.
    static func refusal(_ function: Function, _ replicas: Int32) -> CommandFailure? {
        let name = "function \(function.metadata.name) in namespace \(function.metadata.namespace)"
        guard function.spec.suspend != true else {
            return CommandFailure(
                .refused, "\(name) is suspended and has no replicas",
                advice: "take spec.suspend away first, then scale it")
        }
        // Without a least number, 0 stops a function.
        if let least = function.spec.scale?.min, replicas < least {
            return CommandFailure(.refused, "\(name) has at least \(least) replicas (spec.scale.min)")
        }
        if let most = function.spec.scale?.max, replicas > most {
            return CommandFailure(.refused, "\(name) has at most \(most) replicas (spec.scale.max)")
        }
        return nil
    }
}
