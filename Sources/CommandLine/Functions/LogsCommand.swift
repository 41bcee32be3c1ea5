import CRDs
import ClusterAccess
import Commands
import KubernetesClient
import KubernetesTypes
import Timing

/// `farebox logs`.
enum LogsCommand {
    static let description = CommandDescription(
        "logs", aliases: ["log"], section: .function, "shows what a function or its build says",
        discussion: """
            Shows the log of all pods of a function, of the last five minutes unless --tail or
            --since say otherwise. With --follow it waits for further lines and further pods.
            With --build it shows the build: live while it runs, and where it has ended the
            address of its kept log.
            """,
        arguments: [.init("function", completion: .functions, "the function's name")],
        options: [
            .init("follow", short: "f", "wait for further lines"),
            .init("tail", value: "LINES", "only so many lines from the end of each pod's log"),
            .init("since", value: "TIME", "only lines that are younger, such as 10m"),
            .init("build", short: "b", "the log of the build"),
            .init("instance", value: "POD", "only this pod's"),
            .init("timestamps", short: "t", "begin each line with its time"),
        ] + Server.options,
        examples: ["farebox logs hello", "farebox logs hello -f --tail 100", "farebox logs hello --build -f"])

    /// More lines than that are a file, not something to read.
    private static let tailMaximum = 10_000_000

    static func run(_ options: Options, _ console: Console) async throws {
        let name = try options.requiredArgument("function")
        let tail: Int? = try options.number("tail")
        guard (0...tailMaximum).contains(tail ?? 0) else {
            throw UsageError("--tail: a number from 0 to \(tailMaximum)")
        }
        let query = FunctionLogQuery(
            tail: tail, since: try options.duration("since"), follows: options.has("follow"),
            instance: options["instance"])
        if let server = try await Server.chosen(options, console) {
            return try await run(query, options, console, on: server)
        }
        let cluster = try Cluster(options, console)
        let printer = LogPrinter(console, showsTimes: options.has("timestamps"))
        let function = try await cluster.function(name).object
        if options.has("build") {
            return try await BuildLog(cluster, printer, console).show(function, query)
        }
        let source = FunctionLogSource(api: cluster.api)
        let title = "the log of function \(name) in namespace \(cluster.namespace)"
        let pods = try await about(title) { try await source.pods(function.key) }
        guard query.follows || !pods.isEmpty else {
            return console.note("function \(name) has no replica now; the last one's log went with it")
        }
        printer.expect(instances: query.follows ? max(2, pods.count) : pods.count)
        try await about(title) {
            try await source.read(function.key, query) { instance, lines in printer.take(lines, from: instance) }
        }
        if !printer.hasPrinted {
            console.note("function \(name) said nothing in that time; see further back: --since 24h")
        }
    }
}
