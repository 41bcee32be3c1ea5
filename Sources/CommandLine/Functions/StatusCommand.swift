import CRDs
import Commands
import KubernetesTypes
import Timing

/// `farebox status`.
enum StatusCommand {
    static let description = CommandDescription(
        "status", aliases: ["describe"], section: .function, "tells how a function is, and why",
        discussion: """
            Shows where a function is called, what it was made from, how many replicas take
            calls, and what each of its conditions says. With --wait it first waits until the
            function works, and ends with 5 when it does not in time.
            """,
        arguments: [.init("function", completion: .functions, "the function's name")],
        options: [
            .init("wait", short: "w", "wait until it is ready"),
            .init("timeout", value: "TIME", "how long to wait (default 5m)"),
            OutputFormat.option,
        ] + Server.options,
        examples: ["farebox status hello", "farebox status hello --wait --timeout 2m", "farebox status hello -o yaml"])

    static func run(_ options: Options, _ console: Console) async throws {
        if let server = try await Server.chosen(options, console) {
            return try await run(options, console, on: server)
        }
        let format = try OutputFormat(options)
        let limit = try options.duration("timeout") ?? FunctionWait.limitDefault
        let name = try options.requiredArgument("function")
        let cluster = try Cluster(options, console)
        let progress = Progress(console)
        defer { progress.end() }
        progress.begin("asking the cluster")
        let function =
            options.has("wait")
            ? try await FunctionWait(cluster, progress).untilReady(name, limit: limit)
            : try await cluster.function(name)
        progress.end()
        try console.show(
            Finding(table: Table([]), value: function.value, names: [function.name]), as: format,
            details: details(function.object, now: .now))
    }

    /// What a person is told.
    static func details(_ function: Function, now: Timestamp) -> Details {
        let status = function.status
        let state = FunctionState(function)
        var details = Details()
        details.add("Name", Table.Cell(function.metadata.name))
        details.add("Namespace", Table.Cell(function.metadata.namespace))
        details.add("State", Table.Cell(state.word, state.mood))
        details.add("URL", Table.Cell(status?.url))
        details.add("Domains", (status?.domains ?? []).joined(separator: ", "))
        details.add("Replicas", Table.Cell("\(state.replicas) take calls"))
        details.add("Image", Table.Cell(status?.image ?? function.spec.image))
        details.add("Owner", function.identity?.owner.display)
        details.add("Repository", function.spec.source?.repository)
        details.add("Commit", status?.commit ?? function.spec.source?.commit)
        details.add("Sandbox", status?.runtimeClassName)
        details.add("Secrets", function.spec.secrets.joined(separator: ", "))
        details.add("Price", function.spec.payment?.price.map { PriceText.text($0) })
        details.add("Balance", PriceText.balance(of: function))
        details.add("Calls left", status?.remainingCalls.map { "\($0)" })
        details.add("Age", Age.text(function.metadata.creationTimestamp, now: now))
        details.table = conditions(status?.conditions ?? [], now: now)
        return details
    }

    /// Each condition with what it says.
    static func conditions(_ conditions: [Condition], now: Timestamp) -> Table? {
        guard !conditions.isEmpty else { return nil }
        var table = Table(["CONDITION", "STATUS", "AGE", "REASON", Table.Column("MESSAGE", isProse: true)])
        for (index, condition) in conditions.enumerated() {
            // Ready and Stalled say the same words; once is enough.
            let twin = conditions[..<index].first { !$0.message.isEmpty && $0.message == condition.message }
            let isBad = condition.type == FunctionCondition.stalled.rawValue
            let mood: Table.Mood = isBad ? .bad : condition.status == .true ? .good : .waiting
            table.add([
                Table.Cell(condition.type), Table.Cell(condition.status.rawValue, mood),
                Table.Cell(Age.text(condition.lastTransitionTime, now: now)), Table.Cell(condition.reason),
                Table.Cell(twin.map { "as \($0.type)" } ?? condition.message),
            ])
        }
        return table
    }
}
