import CRDs
import Glibc
import JSON
import KubernetesClient
import KubernetesTypes
import RawSockets
import Synchronization
import Telemetry
import Testing

@testable import Gateway

@Suite("The gateway as a process")
struct GatewayServiceTests {
    private func upstream(_ answer: String) throws -> RawServer {
        try RawServer { connection, _ in
            while try await connection.receive(until: "\r\n\r\n").contains("\r\n\r\n") {
                try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(answer.utf8.count)\r\n\r\n\(answer)")
            }
        }
    }

    /// Runs a gateway while `body` uses it, then stops it.
    private func withGateway(
        _ routes: GatewayService.Routes, _ change: (inout GatewayConfiguration) -> Void = { _ in },
        _ body: (GatewayService.Ports) async throws -> Void
    ) async throws {
        var configuration = GatewayConfiguration()
        configuration.rootDomain = "example.xyz"
        configuration.functionsNamespace = "functions"
        configuration.address = "127.0.0.1"
        configuration.internalAddress = "127.0.0.1"
        configuration.port = 0
        configuration.internalPort = 0
        configuration.loops = 2
        configuration.drainDelay = .zero
        configuration.shutdownGrace = .milliseconds(200)
        // Longer than a busy machine keeps a test waiting.
        configuration.timeout = .seconds(600)
        configuration.wakeTimeout = .seconds(600)
        change(&configuration)
        let service = try GatewayService(configuration: configuration, routes: routes, registry: MetricsRegistry())
        let (ports, told) = AsyncStream<GatewayService.Ports>.makeStream()
        let running = Task {
            defer { told.finish() }
            try await service.run { told.yield($0) }
        }
        for await ports in ports {
            do {
                try await body(ports)
            } catch {
                running.cancel()
                throw error
            }
            break
        }
        running.cancel()
        try await running.value
    }

    private func call(_ target: String, host: String = "x", port: UInt16) async throws -> String {
        let client = try RawClient(port: port)
        try await client.send("GET \(target) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n")
        return try await client.receiveAll()
    }

    @Test("Routes from a file are served, counted and shown on the internal port only")
    func fixedRoutes() async throws {
        let upstream = try upstream("hello")
        let text = """
            routes:
              - name: hello
                owner: Alice
                endpoints: ["127.0.0.1:\(upstream.port)"]
                timeout: 10m
                maxInflight: 10
            """
        let routes = try StaticRoutes(Array(text.utf8))

        try await withGateway(.fixed(routes)) { ports in
            let pretty = try await call("/hello/a", host: "alice.example.xyz", port: ports.callers)
            let plain = try await call("/function/hello", port: ports.callers)
            let unknown = try await call("/function/other", port: ports.callers)
            let outside = try await call("/metrics", port: ports.callers)
            let health = try await call("/healthz", port: ports.probes)
            let ready = try await call("/readyz", port: ports.probes)
            let metrics = try await call("/metrics", port: ports.probes)

            #expect(pretty.hasPrefix("HTTP/1.1 200 OK") && pretty.hasSuffix("hello"), "\(pretty)")
            #expect(plain.hasSuffix("hello"))
            #expect(unknown.hasPrefix("HTTP/1.1 404 ") && unknown.contains("\"requestId\":\""))
            #expect(unknown.contains("Content-Type: application/problem+json\r\n"))
            #expect(outside.hasPrefix("HTTP/1.1 404 "))
            #expect(health.hasSuffix("ok\n") && ready.hasSuffix("ok\n"))
            #expect(
                metrics.contains(
                    "gateway_function_invocation_total{function_name=\"hello.functions\",code=\"200\"} 2\n"))
            #expect(metrics.contains("gateway_functions_seconds_count{function_name=\"hello.functions\"} 2\n"))
            #expect(metrics.contains("gateway_service_count{function_name=\"hello.functions\"} 1\n"))
            #expect(metrics.contains("farebox_gateway_refused_total{reason=\"unknown_function\"} 2\n"))
        }
    }

    @Test("The access log tells of the share of calls that it should, each in a line of JSON, and never a query")
    func accessLog() async throws {
        let upstream = try upstream("hello")
        let routes = try StaticRoutes(
            Array("routes: [{name: hello, endpoints: [\"127.0.0.1:\(upstream.port)\"]}]".utf8))
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        let (readEnd, writeEnd) = (ends[0], ends[1])
        defer { close(readEnd) }
        try #require(fcntl(readEnd, F_SETFL, O_NONBLOCK) == 0)

        try await withGateway(
            .fixed(routes),
            {
                $0.accessLogShare = 0.5
                $0.accessLogOutput = LogOutput(fileDescriptor: writeEnd)
            },
            { ports in
                for _ in 0..<4 {
                    _ = try await call("/function/hello/a%20b?secret=1", host: "x.example", port: ports.callers)
                }
                _ = try await call("/function/unknown", port: ports.callers)
            })
        var text: [UInt8] = []
        // The gateway does not wait for ever until the log's own thread is done.
        let isWhole = await eventually {
            var piece = [UInt8](repeating: 0, count: 65_536)
            let count = read(readEnd, &piece, piece.count)
            text += piece.prefix(max(count, 0))
            return text.count { $0 == UInt8(ascii: "\n") } >= 2
        }
        close(writeEnd)
        let lines = try text.split(separator: UInt8(ascii: "\n")).map { line in
            try JSONReader().parse(Array(line))
        }

        #expect(isWhole && lines.count == 2)
        for line in lines {
            #expect(line[path: "function"] == "hello.functions" && line[path: "method"] == "GET")
            #expect(line[path: "host"] == "x.example" && line[path: "path"] == "/function/hello/a%20b")
            #expect(line[path: "status"] == 200 && line[path: "attempts"] == 1 && line[path: "cause"] == nil)
            #expect(line[path: "remoteAddress"] == "127.0.0.1" && line[path: "requestId"] != nil)
        }
    }

    static let versions: [ResourceDescriptor] = [EndpointSlice.descriptor, EndpointSliceV1Beta1.descriptor]

    @Test("Functions and their addresses are followed, with either version of EndpointSlice", arguments: versions)
    func clusterRoutes(version: ResourceDescriptor) async throws {
        let upstream = try upstream("from the cluster")
        let cluster = FakeCluster(offering: [version])
        let function = Function(metadata: ObjectMeta(name: "f", namespace: "functions"), spec: FunctionSpec(image: "i"))
        let slice = EndpointSlice(
            metadata: ObjectMeta(name: "f-1", namespace: "functions", labels: [FareboxLabel.name: "f"]),
            endpoints: [Endpoint(addresses: ["127.0.0.1"])], ports: [EndpointPort(port: Int32(upstream.port))])
        try cluster.put(function)

        try await withGateway(.cluster(cluster)) { ports in
            let asleep = try await call("/function/f", port: ports.callers)
            try cluster.put(slice)
            let awake = try await untilStatus(200, port: ports.callers)
            cluster.remove(Function.self, ObjectKey(namespace: "functions", name: "f"))
            let gone = try await untilStatus(404, port: ports.callers)

            #expect(asleep.hasPrefix("HTTP/1.1 503 ") && asleep.contains("Retry-After: 1\r\n"))
            #expect(awake.hasSuffix("from the cluster"))
            #expect(gone.hasPrefix("HTTP/1.1 404 "))
        }
    }

    @Test("A function that sleeps is started once by many calls, which are all answered and told how long it took")
    func sleeping() async throws {
        let upstream = try upstream("good morning")
        let cluster = FakeCluster(offering: [EndpointSlice.descriptor])
        var function = Function(metadata: ObjectMeta(name: "f", namespace: "functions"), spec: FunctionSpec(image: "i"))
        function.spec.replicas = 0
        function.spec.scale = FunctionScale(min: 0, idleAfter: "5m")
        let slice = EndpointSlice(
            metadata: ObjectMeta(name: "f-1", namespace: "functions", labels: [FareboxLabel.name: "f"]),
            endpoints: [Endpoint(addresses: ["127.0.0.1"])], ports: [EndpointPort(port: Int32(upstream.port))])
        try cluster.put(function)

        try await withGateway(.cluster(cluster)) { ports in
            let answers = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<20 {
                    group.addTask { try await call("/function/f", port: ports.callers) }
                }
                let end = ContinuousClock.now + .seconds(300)
                while try await !call("/metrics", port: ports.probes).contains("farebox_gateway_waiting 20\n")
                    || cluster.patches.isEmpty, ContinuousClock.now < end
                {}
                try cluster.put(slice)
                return try await group.reduce(into: [String]()) { $0.append($1) }
            }
            let load = try await call("/load", port: ports.probes)
            let outside = try await call("/load", port: ports.callers)

            #expect(answers.count == 20)
            #expect(answers.allSatisfy { $0.hasPrefix("HTTP/1.1 200 ") && $0.hasSuffix("good morning") })
            #expect(answers.allSatisfy { $0.contains("Server-Timing: queue;dur=") && $0.contains("scale;dur=") })
            // Asked for again where the news of the first time is late, it is there already.
            #expect(Set(cluster.patches) == ["mergePatch functions.v1alpha1.farebox.dev/scale functions/f"])
            #expect(cluster.scalings == 1 && cluster.patches.count < answers.count)
            #expect(load.contains("\"inFlight\":0,\"name\":\"f\",\"namespace\":\"functions\""))
            #expect(outside.hasPrefix("HTTP/1.1 404 "))
        }
    }

    /// Calls the function until it answers with `status`, for at most five minutes.
    private func untilStatus(_ status: Int, port: UInt16) async throws -> String {
        let deadline = ContinuousClock.now.advanced(by: .seconds(300))
        while true {
            let answer = try await call("/function/f", port: port)
            if answer.hasPrefix("HTTP/1.1 \(status) ") || ContinuousClock.now > deadline {
                return answer
            }
        }
    }

    static let badRoutes = [
        "routes:\n  - name: a\n    endpoints: [\"localhost:80\"]",
        "routes:\n  - name: a\n    endpoints: [\"127.0.0.1\"]",
        "routes:\n  - name: a\n    endpoints: []\n    timeout: soon", "routes:\n  - endpoints: []",
        "routes:\n  - name: a\n    endpoints: []\n    colour: red", "[", "",
    ]

    @Test("A file of routes that is wrong is refused", arguments: badRoutes)
    func refusedRoutes(text: String) {
        #expect(throws: (any Error).self) { try StaticRoutes(Array(text.utf8)) }
    }
}
