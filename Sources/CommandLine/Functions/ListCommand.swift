import CRDs
import Commands
import KubernetesTypes
import Timing

/// `farebox list`.
enum ListCommand {
    static let description = CommandDescription(
        "list", aliases: ["ls"], section: .function, "lists functions",
        discussion: """
            Shows which functions there are, whether they work, how many replicas take calls,
            and where to call them.
            """,
        options: [
            .init("all-namespaces", short: "A", "in all namespaces"),
            .init("selector", short: "l", value: "LABELS", "only those with these labels, such as team=a"),
            OutputFormat.option,
        ] + Server.options,
        examples: ["farebox list", "farebox list -A -o wide", "farebox list -o name"])

    static func run(_ options: Options, _ console: Console) async throws {
        if let server = try await Server.chosen(options, console) {
            return try await run(options, console, on: server)
        }
        let format = try OutputFormat(options)
        let cluster = try Cluster(options, console)
        let isEverywhere = options.has("all-namespaces")
        let functions = try await Progress(console).during("asking the cluster") {
            try await cluster.readAll(
                Function.self, in: isEverywhere ? nil : cluster.namespace, selector: options["selector"])
        }
        try console.show(finding(functions, cluster, isEverywhere: isEverywhere, now: .now), as: format)
    }

    /// What is shown of some functions.
    static func finding(
        _ functions: [FetchedObject<Function>], _ cluster: Cluster, isEverywhere: Bool, now: Timestamp
    ) -> Finding {
        Finding(
            table: table(functions.map(\.object), isEverywhere: isEverywhere, now: now),
            value: Finding.list(functions.map(\.value)), names: functions.map(\.name),
            absence: isEverywhere
                ? "There are no functions." : "There are no functions in namespace \(cluster.namespace).")
    }

    /// The rows of some functions.
    static func table(_ functions: [Function], isEverywhere: Bool, now: Timestamp) -> Table {
        let place: [Table.Column] = isEverywhere ? ["NAMESPACE"] : []
        var table = Table(
            place + [
                "NAME", "STATE", "REPLICAS", "AGE", "URL", Table.Column("COMMIT", isWide: true),
                Table.Column("BALANCE", isWide: true), Table.Column("IMAGE", isWide: true),
            ])
        for function in functions {
            let state = FunctionState(function)
            let place: [Table.Cell] = isEverywhere ? [Table.Cell(function.metadata.namespace)] : []
            table.add(
                place + [
                    Table.Cell(function.metadata.name), Table.Cell(state.word, state.mood),
                    Table.Cell(state.replicas), Table.Cell(Age.text(function.metadata.creationTimestamp, now: now)),
                    Table.Cell(function.status?.url),
                    Table.Cell((function.status?.commit).map { String($0.prefix(7)) }),
                    Table.Cell(function.status?.balance),
                    Table.Cell(function.status?.image ?? function.spec.image),
                ])
        }
        return table
    }
}
