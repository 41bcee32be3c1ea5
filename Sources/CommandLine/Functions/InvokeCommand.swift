import CRDs
import Commands
import HTTP
import KubernetesClient
import KubernetesTypes
import Timing

/// `farebox invoke`.
enum InvokeCommand {
    static let description = CommandDescription(
        "invoke", aliases: ["call"], section: .function, "calls a function and prints its answer",
        discussion: """
            Calls the function at its URL. Where that does not lead anywhere from here, or is
            one of this machine only, the call goes through the API server to the gateway,
            which needs the right to create services/proxy in farebox-system; the field
            Authorization does not get through there.

            The answer goes to standard output. It ends with 0 where the status is 2xx or 3xx,
            4 for 401, 402 and 403, 5 for 504, else with 1.
            """,
        arguments: [.init("function", completion: .functions, "the function's name")],
        options: [
            .init("data", short: "d", value: "TEXT", "what to send; @FILE is a file, @- standard input"),
            .init("method", short: "X", value: "METHOD", "GET, POST… (default POST with data, else GET)"),
            .init("header", short: "H", value: "FIELD", isRepeated: true, "a header field, as in 'X-Name: value'"),
            .init("path", value: "PATH", "what follows the function's URL, with its query"),
            .init("async", "do not wait: the platform makes the call later"),
            .init(
                "via", value: "WAY", completion: .words(InvokePlan.Way.allCases.map(\.rawValue)),
                "url, cluster or auto (default auto)"),
            .init("include", short: "i", "print the status and the header fields as well"),
            .init("timeout", value: "TIME", "how long to wait for the answer (default 2m)"),
        ] + Server.options,
        examples: [
            "farebox invoke hello", "farebox invoke hello -d Alice",
            "farebox invoke resize -d @photo.jpg -H 'Content-Type: image/jpeg' > small.jpg",
            "farebox invoke shop --path '/cart?user=7' -X DELETE",
        ])

    static func run(_ options: Options, _ console: Console) async throws {
        if let server = try await Server.chosen(options, console) {
            return try await run(options, console, on: server)
        }
        let call = try InvokePlan(options)
        let cluster = try Cluster(options, console)
        let progress = Progress(console)
        defer { progress.end() }
        progress.begin("looking for \(call.function)")
        let function = try await cluster.function(call.function).object
        progress.begin("calling \(call.function)")
        let answer = try await send(call, function, cluster, console)
        progress.end()
        try await show(answer, of: call, console)
        if let failure = InvokePlan.failure(answer.status.code, of: function.key) { throw failure }
    }

    /// Prints an answer as it comes.
    static func show(_ answer: ServiceAnswer, of call: InvokePlan, _ console: Console) async throws {
        if call.showsHead {
            console.say("\(answer.status.code)")
            for field in answer.headers.fields { console.say(TerminalText.line("\(field.name): \(field.value)")) }
            console.say("")
        }
        do {
            try await answer.forEach { console.write(console.isTerminal ? TerminalText.shown($0) : $0) }
        } catch let error as HTTPClientError {
            throw CommandFailure(error, "the answer of function \(call.function)")
        }
    }

    /// Makes the call, by the way that leads there.
    private static func send(
        _ call: InvokePlan, _ function: Function, _ cluster: Cluster, _ console: Console
    ) async throws -> ServiceAnswer {
        let object = "function \(call.function) in namespace \(cluster.namespace)"
        if let url = try call.directURL(of: function) {
            let client = HTTPClient(
                configuration: HTTPClientConfiguration(addresses: .any, connectTimeout: connectTimeout))
            do {
                return ServiceAnswer(
                    try await client.stream(
                        HTTPClientRequest(
                            call.method, url: url, headers: call.headers, body: call.body, timeout: nil,
                            headTimeout: call.limit)))
            } catch let error as HTTPClientError {
                // Nothing was sent, so that no call is made twice.
                guard call.way == .auto, isOutOfReach(error) else {
                    throw CommandFailure(error, "\(object) at \(url)")
                }
                console.note("\(url) does not lead anywhere from here; calling through the API server")
            }
        }
        return try await about(object) {
            let stream = try await cluster.api.forward(
                ForwardedRequest(
                    call.method, namespace: Cluster.systemNamespace, service: "farebox-gateway", port: "http",
                    target: call.forwardedTarget(of: function.key), headers: call.headers, body: call.body,
                    headTimeout: call.limit))
            return try await ServiceAnswer.forwarded(stream, object)
        }
    }

    /// Whether no connection came about; a server that is there and not trusted is another matter.
    private static func isOutOfReach(_ error: HTTPClientError) -> Bool {
        switch error {
        case .connectionFailed: true
        case .timedOut(let mayHaveArrived): !mayHaveArrived
        default: false
        }
    }

    /// A function's host answers at once or is out of reach.
    private static let connectTimeout = Duration.seconds(5)
}
