import JSON
import RawSockets
import Synchronization
import Testing

@testable import HTTP

/// Opens when the test says so.
final class TestGate: RequestGate {
    private struct State {
        var isOpen = false
        var waiters: [@Sendable () -> Void] = []
        var asked = 0
        var departures: [GateDeparture] = []
    }

    private let state = Mutex(State())
    let serverTiming: String?

    init(serverTiming: String? = nil) {
        self.serverTiming = serverTiming
    }

    /// How often somebody began to wait.
    var asked: Int { state.withLock { $0.asked } }

    /// Who left before it opened, and why.
    var departures: [GateDeparture] { state.withLock { $0.departures } }

    func whenOpen(_ resume: @escaping @Sendable () -> Void) -> UInt64 {
        let (isOpen, number) = state.withLock { state in
            state.asked += 1
            if !state.isOpen {
                state.waiters.append(resume)
            }
            return (state.isOpen, UInt64(state.asked))
        }
        if isOpen {
            resume()
        }
        return number
    }

    func leave(_ number: UInt64, _ departure: GateDeparture) {
        state.withLock { state in
            if number > 0, number <= state.asked {
                state.departures.append(departure)
            }
        }
    }

    func open() {
        let waiters = state.withLock { state in
            state.isOpen = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters {
            waiter()
        }
    }
}

/// Lets requests to `/wait` wait, so many times, and sends all to one destination.
struct GatedRouter: RequestRouter {
    var gate = TestGate()
    let destination: TestDestination
    var limit = Duration.seconds(600)
    /// What is decided in the end.
    var isRefused = false
    /// Gates after the first one; they are open.
    var further = 0
    private let waits = Counter()

    /// Counts what was decided.
    final class Counter: Sendable {
        let value = Atomic<Int>(0)
    }

    init(to ports: [UInt16]) {
        destination = TestDestination(ports: ports)
    }

    func route(
        _ head: RequestHead, in bytes: Span<UInt8>, after passed: (any RequestGate)?, onLoop loop: Int
    ) -> RequestDecision {
        if bytes.equals(head.path, "/wait") {
            guard passed != nil else { return .wait(gate, limit: limit) }
            if waits.value.add(1, ordering: .relaxed).newValue <= further {
                let open = TestGate()
                open.open()
                return .wait(open, limit: limit)
            }
            if isRefused {
                return .refuse(
                    .paymentRequired, detail: "Pay.", headers: HTTPHeaders([("Link", "<x>")]),
                    members: ["price": 7])
            }
        }
        if bytes.equals(head.path, "/page") {
            let headers = HTTPHeaders([("X-A", "b")])
            return .answer(HTTPResponse(.accepted, headers: headers, body: .bytes(Array("page".utf8))))
        }
        return .proxy(ProxyCall(to: destination, head: head, prefixEnd: head.path.start, silence: .seconds(600)))
    }
}

/// Lets each request wait at some gates, one after the other.
struct ChainedRouter: RequestRouter {
    let gates: [(gate: TestGate, limit: Duration)]
    let destination = TestDestination(ports: [])

    func route(
        _ head: RequestHead, in bytes: Span<UInt8>, after passed: (any RequestGate)?, onLoop loop: Int
    ) -> RequestDecision {
        let next = passed.flatMap { passed in gates.firstIndex { $0.gate === passed } }.map { $0 + 1 } ?? 0
        guard next < gates.count else {
            return .proxy(ProxyCall(to: destination, head: head, prefixEnd: head.path.start, silence: .seconds(600)))
        }
        return .wait(gates[next].gate, limit: gates[next].limit)
    }
}

@Suite("Requests that wait")
struct WaitingRequestTests {
    private static var loopback: HTTPServerConfiguration {
        var configuration = HTTPServerConfiguration()
        configuration.address = "127.0.0.1"
        configuration.timeouts = .patient
        return configuration
    }

    /// An upstream that answers each request with its path and content, and a proxy whose requests to it wait.
    private func withProxy(
        _ change: (inout GatedRouter) -> Void = { _ in },
        _ body: (GatedRouter, RawClient, UInt16) async throws -> Void
    ) async throws {
        let upstream = HTTPServer(configuration: Self.loopback) { request in
            let content = (try? await request.body.collect(maximumBytes: 100)) ?? []
            return .text(.ok, "\(request.path) \(String(decoding: content, as: UTF8.self))")
        }
        var router = GatedRouter(to: [try upstream.start()])
        change(&router)
        let server = HTTPServer(
            configuration: Self.loopback, router: router,
            handler: HTTPClosureHandler { _ in HTTPResponse(.internalServerError) })
        let port = try server.start()
        try await body(router, try RawClient(port: port), port)
        await server.shutdown(grace: .milliseconds(200))
        await upstream.shutdown(grace: .milliseconds(200))
    }

    @Test("A request goes on when its gate opens, with the content that came before and after", arguments: [0, 3])
    func opened(further: Int) async throws {
        try await withProxy({ $0.further = further }) { router, client, _ in
            try await client.send("POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello")
            #expect(await eventually { router.gate.asked == 1 })
            try await client.send("world")
            #expect(router.destination.outcomes.isEmpty)
            router.gate.open()
            let answer = try await client.receive(until: "world")

            #expect(answer.hasPrefix("HTTP/1.1 200 ") && answer.hasSuffix("/wait helloworld"))
        }
    }

    @Test("Requests sent ahead wait behind it, and all are answered in order")
    func pipelined() async throws {
        try await withProxy { router, client, _ in
            try await client.send(
                "GET /first HTTP/1.1\r\nHost: x\r\n\r\nGET /wait HTTP/1.1\r\nHost: x\r\n\r\n"
                    + "GET /second HTTP/1.1\r\nHost: x\r\n\r\n")
            let first = try await client.receive(until: "/first ")
            #expect(await eventually { router.gate.asked == 1 })
            router.gate.open()
            let rest = try await client.receive(until: "/second ")

            #expect(first.hasPrefix("HTTP/1.1 200 "))
            #expect(rest.contains("/wait ") && rest.hasSuffix("/second "))
        }
    }

    @Test("A gate that is open already holds nothing up, and what is refused afterwards keeps the connection")
    func refused() async throws {
        try await withProxy({ $0.isRefused = true }) { router, client, _ in
            router.gate.open()
            try await client.send("POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")
            let refusal = try await client.receive(until: "}")
            try await client.send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n")
            let next = try await client.receive(until: "/next ")

            #expect(refusal.hasPrefix("HTTP/1.1 402 ") && refusal.contains("Link: <x>"))
            #expect(refusal.contains("\"price\":7") && refusal.contains("\"detail\":\"Pay.\""))
            #expect(next.hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test("A gate that stays shut is a 503 that says when to come back, and the connection goes on")
    func tooLong() async throws {
        try await withProxy({ $0.limit = .milliseconds(100) }) { router, client, _ in
            try await client.send("POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")
            let refusal = try await client.receive(until: "}")
            router.gate.open()
            try await client.send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n")
            let next = try await client.receive(until: "/next ")

            #expect(refusal.hasPrefix("HTTP/1.1 503 ") && refusal.contains("Retry-After: 1"))
            #expect(next.hasPrefix("HTTP/1.1 200 "))
            #expect(await eventually { router.destination.outcomes.count == 1 })
            #expect(router.gate.departures == [.timedOut])
        }
    }

    @Test("A later wait's own limit counts, from the start of the first one")
    func laterLimit() async throws {
        let first = TestGate()
        let second = TestGate()
        let router = ChainedRouter(gates: [(first, .seconds(600)), (second, .milliseconds(100))])
        let server = HTTPServer(
            configuration: Self.loopback, router: router,
            handler: HTTPClosureHandler { _ in HTTPResponse(.internalServerError) })
        let client = try RawClient(port: try server.start())

        try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(await eventually { first.asked == 1 })
        first.open()
        let answer = try await client.receive(until: "}")

        #expect(answer.hasPrefix("HTTP/1.1 503 ") && answer.contains("Retry-After: 1"))
        #expect(first.departures.isEmpty && second.departures == [.timedOut])
        await server.shutdown(grace: .milliseconds(200))
    }

    @Test("A client is told how long its request waited where the gate tells, and in no other answer")
    func serverTiming() async throws {
        try await withProxy({ $0.gate = TestGate(serverTiming: "scale;dur=1.5") }) { router, client, _ in
            try await client.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(await eventually { router.gate.asked == 1 })
            router.gate.open()
            let told = try await client.receive(until: "/wait ")
            try await client.send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n")
            let other = try await client.receive(until: "/next ")

            let field = told.split(separator: "\r\n").first { $0.hasPrefix("Server-Timing: ") } ?? ""
            let metrics = field.dropFirst("Server-Timing: ".count).split(separator: ", ")
            #expect(metrics.map { $0.prefix { $0 != ";" } } == ["queue", "scale", "first-byte"])
            #expect(metrics.allSatisfy { Double($0.split(separator: "=").last ?? "").map { $0 < 600_000 } == true })
            #expect(!other.contains("Server-Timing"))
            #expect(await eventually { router.destination.outcomes.count == 2 })
            #expect(router.destination.outcomes.map { $0.waitedNanoseconds > 0 } == [true, false])
            #expect(router.gate.departures.isEmpty)
        }
    }

    @Test("What a router answers itself is sent as it is, and the connection goes on")
    func answered() async throws {
        try await withProxy { _, client, _ in
            try await client.send("GET /page HTTP/1.1\r\nHost: x\r\n\r\n")
            let page = try await client.receive(until: "page")
            try await client.send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n")
            let next = try await client.receive(until: "/next ")

            #expect(page.hasPrefix("HTTP/1.1 202 ") && page.contains("X-A: b\r\n"))
            #expect(next.hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test("A client that waits for leave to send its content gets it after the wait")
    func continued() async throws {
        try await withProxy { router, client, _ in
            try await client.send(
                "POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
            #expect(await eventually { router.gate.asked == 1 })
            router.gate.open()
            let leave = try await client.receive(until: "\r\n\r\n")
            try await client.send("hello")
            let answer = try await client.receive(until: "hello")

            #expect(leave == "HTTP/1.1 100 Continue\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test("A client that is gone when its gate opens costs the upstream nothing")
    func gone() async throws {
        try await withProxy { router, client, port in
            try await client.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(await eventually { router.gate.asked == 1 })
            await client.reset()
            // The server has seen the reset once it serves the next connection after it.
            let other = try RawClient(port: port)
            try await other.send("GET /other HTTP/1.1\r\nHost: x\r\n\r\n")
            _ = try await other.receive(until: "/other ")
            #expect(await eventually { router.gate.departures == [.clientLeft] })
            router.gate.open()
            try await other.send("GET /last HTTP/1.1\r\nHost: x\r\n\r\n")
            _ = try await other.receive(until: "/last ")

            #expect(await eventually { router.destination.outcomes.count == 2 })
        }
    }
}
