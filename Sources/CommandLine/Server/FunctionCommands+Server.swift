import ClusterAccess
import Commands
import HTTP
import JSON
import KubernetesTypes
import Timing

// What the commands for functions do where a server's REST API stands in the place of a cluster.

extension ListCommand {
    static func run(_ options: Options, _ console: Console, on server: Server) async throws {
        let format = try OutputFormat(options)
        try server.refuse(["selector"], of: options)
        let isEverywhere = options.has("all-namespaces")
        let functions = try await Progress(console).during("asking \(server.address.url)") {
            try await server.functions(isEverywhere: isEverywhere)
        }
        try console.show(finding(functions, server.address, isEverywhere: isEverywhere, now: .now), as: format)
    }

    /// What is shown of some functions of a server.
    static func finding(
        _ functions: [RemoteFunction], _ address: ServerAddress, isEverywhere: Bool, now: Timestamp
    ) -> Finding {
        Finding(
            table: table(functions, address, isEverywhere: isEverywhere, now: now),
            value: .array(functions.map(\.value)), names: functions.map { "function.farebox.dev/\($0.name)" },
            absence: "There are no functions at \(address.url).")
    }

    /// The rows of some functions of a server.
    static func table(
        _ functions: [RemoteFunction], _ address: ServerAddress, isEverywhere: Bool, now: Timestamp
    ) -> Table {
        let place: [Table.Column] = isEverywhere ? ["NAMESPACE"] : []
        var table = Table(place + ["NAME", "REPLICAS", "CALLS", "AGE", "URL", Table.Column("IMAGE", isWide: true)])
        for function in functions {
            let place: [Table.Cell] = isEverywhere ? [Table.Cell(function.namespace)] : []
            table.add(
                place + [
                    Table.Cell(function.name),
                    Table.Cell(
                        "\(function.available)/\(function.replicas)", function.isSettled ? .good : .waiting),
                    Table.Cell("\(function.calls)"), Table.Cell(Age.text(function.created.map { .init($0) }, now: now)),
                    Table.Cell(function.url(at: address)), Table.Cell(function.image),
                ])
        }
        return table
    }
}

extension RemoteFunction.State {
    /// How its word is to be taken.
    var mood: Table.Mood { isReady ? .good : isStalled ? .bad : .waiting }
}

extension RemoteFunction {
    /// Where it is called.
    func url(at address: ServerAddress) -> String {
        "\(address.url)/function/\(name)" + (namespace.isEmpty ? "" : ".\(namespace)")
    }
}

extension StatusCommand {
    static func run(_ options: Options, _ console: Console, on server: Server) async throws {
        let format = try OutputFormat(options)
        let limit = try options.duration("timeout") ?? FunctionWait.limitDefault
        let name = try options.requiredArgument("function")
        let progress = Progress(console)
        defer { progress.end() }
        let function =
            options.has("wait")
            ? try await server.untilReady(name, limit: limit, progress) : try await server.function(name)
        progress.end()
        try console.show(
            Finding(table: Table([]), value: function.value, names: ["function.farebox.dev/\(name)"]), as: format,
            details: details(function, server.address, now: .now))
    }

    /// What a person is told of a function of a server.
    static func details(_ function: RemoteFunction, _ address: ServerAddress, now: Timestamp) -> Details {
        var details = Details()
        details.add("Name", Table.Cell(function.name))
        details.add("Namespace", function.namespace)
        if let state = function.state {
            details.add("State", Table.Cell(state.isReady ? "Ready" : state.reason, state.mood))
            if !state.isReady { details.add("Because", state.message) }
        }
        details.add("URL", function.url(at: address))
        details.add(
            "Replicas",
            Table.Cell(
                "\(function.available)/\(function.replicas) take calls", function.isSettled ? .good : .waiting))
        details.add("Calls", "\(function.calls) since the gateways started")
        details.add("Image", function.image)
        details.add("Repository", function.state?.repository)
        details.add("Secrets", function.secrets.joined(separator: ", "))
        details.add("Age", Age.text(function.created.map { .init($0) }, now: now))
        return details
    }
}

extension InvokeCommand {
    static func run(_ options: Options, _ console: Console, on server: Server) async throws {
        try server.refuse(["via"], of: options)
        let call = try InvokePlan(options)
        let answer = try await Progress(console).during("calling \(call.function)") {
            ServiceAnswer(try await server.call(call))
        }
        try await show(answer, of: call, console)
        let key = server.key(call.function)
        if let failure = InvokePlan.failure(answer.status.code, of: key) { throw failure }
    }
}

extension LogsCommand {
    static func run(_ query: FunctionLogQuery, _ options: Options, _ console: Console, on server: Server) async throws {
        let name = try options.requiredArgument("function")
        try server.refuse(["build"], of: options)
        let printer = LogPrinter(console, showsTimes: options.has("timestamps"))
        let function = try await server.function(name)
        printer.expect(instances: query.follows ? 2 : Int(clamping: max(function.replicas, function.available)))
        try await server.logs(name, query) { lines, instance in printer.take(lines, from: instance) }
        if !printer.hasPrinted {
            console.note("function \(name) said nothing in that time; see further back: --since 24h")
        }
    }
}

extension ScaleCommand {
    static func run(
        _ name: String, to replicas: Int32, _ options: Options, _ console: Console, on server: Server
    ) async throws {
        let limit = try options.duration("timeout") ?? FunctionWait.limitDefault
        let progress = Progress(console)
        defer { progress.end() }
        let before = try await server.function(name).replicas
        try await server.scale(name, to: replicas)
        console.note("function \(name): \(before) → \(replicas) replicas")
        guard options.has("wait") else { return }
        try await server.wait(for: name, "not ready", limit: limit, progress) {
            $0?.replicas == Int64(replicas) && $0?.isSettled == true
        }
    }
}

extension RemoveCommand {
    static func run(_ options: Options, _ console: Console, on server: Server) async throws {
        let limit = try options.duration("timeout") ?? FunctionWait.limitDefault
        let progress = Progress(console)
        defer { progress.end() }
        // All of them are looked at before the first one goes, so that a slip of the finger removes nothing.
        var names: [String] = []
        for name in options.arguments("function") {
            do {
                _ = try await server.function(name)
                names.append(name)
            } catch let failure as CommandFailure where failure.code == .notFound && options.has("ignore-absent") {
                continue
            }
        }
        for name in names {
            try await server.remove(name)
            if options.has("wait") {
                try await server.wait(for: name, "not gone", limit: limit, progress) { $0 == nil }
            }
            console.note("\(server.title("function", name)): removed")
        }
    }
}
