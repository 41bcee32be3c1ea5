import AsyncCalls
import Glibc
import RawSockets
import Synchronization
import Telemetry
import Testing

@testable import Gateway

@Suite("Calls that do not wait", .timeLimit(.minutes(10)))
struct AsyncCallTests {
    /// A folder for the store; it goes when the test is over.
    private final class Folder: Sendable {
        let path: String

        init() throws {
            // A folder that no other test has; mkdtemp puts letters of its own in the place of the X.
            var template = Array("/tmp/farebox-gateway-XXXXXX".utf8CString)
            try #require(mkdtemp(&template) != nil)
            path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }

        deinit {
            for name in ["calls.db", "calls.db-wal", "calls.db-shm", "calls.db.lock", "token"] {
                unlink(path + "/" + name)
            }
            rmdir(path)
        }

        func write(_ name: String, _ text: String) throws {
            let file = try #require(fopen(path + "/" + name, "w"))
            fputs(text, file)
            fclose(file)
        }
    }

    /// What a server of ours was sent, request by request.
    private final class Inbox: Sendable {
        private let requests = Mutex<[String]>([])

        var all: [String] { requests.withLock { $0 } }

        func add(_ request: String) { requests.withLock { $0.append(request) } }
    }

    /// A server that keeps what it is sent and answers the same each time.
    private func server(_ inbox: Inbox, _ answer: String) throws -> RawServer {
        try RawServer { connection, _ in
            while case var request = try await connection.receive(until: "\r\n\r\n"), !request.isEmpty {
                while Self.isCut(request) {
                    let more = try await connection.receive()
                    guard !more.isEmpty else { return }
                    request += String(decoding: more, as: UTF8.self)
                }
                inbox.add(request)
                try await connection.send(answer)
            }
        }
    }

    /// Whether content is still to come; ours is text without the empty line that ends a head.
    private static func isCut(_ request: String) -> Bool {
        let lines = request.components
        let announced = lines.first { $0.lowercased().hasPrefix("content-length: ") }
            .flatMap { Int($0.dropFirst("content-length: ".count)) }
        return (lines.last?.utf8.count ?? 0) < announced ?? 0
    }

    private static let ok = "HTTP/1.1 200 OK\r\nContent-Type: text/x\r\nContent-Length: 4\r\n\r\ndone"

    private func withGateway(
        _ folder: Folder, function port: UInt16, _ adjust: (inout AsyncConfiguration) -> Void = { _ in },
        _ body: (GatewayService.Ports) async throws -> Void
    ) async throws {
        var configuration = GatewayConfiguration()
        configuration.functionsNamespace = "functions"
        configuration.address = "127.0.0.1"
        configuration.internalAddress = "127.0.0.1"
        configuration.port = 0
        configuration.internalPort = 0
        configuration.loops = 2
        configuration.drainDelay = .zero
        configuration.shutdownGrace = .milliseconds(200)
        var async = AsyncConfiguration()
        async.sqlite = folder.path + "/calls.db"
        async.tokenPath = folder.path + "/token"
        async.retryMinimum = "10ms"
        async.retryMaximum = "20ms"
        async.attemptsMaximum = 2
        // Longer than a busy machine keeps a receiver waiting.
        async.callbackTimeout = "10m"
        async.callbackAllowedCIDRs = ["127.0.0.1/32"]
        adjust(&async)
        configuration.async = async
        let routes = try StaticRoutes(
            Array("routes:\n  - name: hello\n    endpoints: [\"127.0.0.1:\(port)\"]\n    timeout: 10m".utf8))
        let service = try GatewayService(
            configuration: configuration, routes: .fixed(routes), registry: MetricsRegistry())
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

    private func send(_ request: String, port: UInt16) async throws -> String {
        let client = try RawClient(port: port)
        try await client.send(request)
        return try await client.receiveAll()
    }

    private func post(
        _ target: String, _ headers: String = "", body: String = "", port: UInt16
    ) async throws -> String {
        try await send(
            "POST \(target) HTTP/1.1\r\nHost: x.example\r\nConnection: close\r\n\(headers)Content-Length: "
                + "\(body.utf8.count)\r\n\r\n\(body)", port: port)
    }

    /// Waits until something holds, for at most five minutes.
    private func until(_ isTrue: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(300)
        // A look now and then: nothing tells when it is so.
        while !(try await isTrue()), ContinuousClock.now < deadline { try? await Task.sleep(for: .milliseconds(2)) }
    }

    @Test("A call is accepted, made as it was, and its answer posted")
    func acceptsAndPosts() async throws {
        let folder = try Folder()
        let (calls, answers) = (Inbox(), Inbox())
        let function = try server(calls, Self.ok)
        let receiver = try server(answers, "HTTP/1.1 204 No Content\r\n\r\n")

        try await withGateway(folder, function: function.port) { ports in
            let accepted = try await post(
                "/async-function/hello/a/b?c=%20d",
                "X-Call-Id: mine\r\nX-Callback-Url: http://127.0.0.1:\(receiver.port)/told\r\nX-Thing: 1\r\n"
                    + "Cookie: secret\r\n", body: "content", port: ports.callers)
            try await until { answers.all.count == 1 }

            #expect(accepted.hasPrefix("HTTP/1.1 202 ") && accepted.contains("X-Call-Id: mine\r\n"))
            #expect(accepted.contains("X-Start-Time: "))
            let call = try #require(calls.all.first)
            #expect(call.hasPrefix("POST /a/b?c=%20d HTTP/1.1\r\n") && call.hasSuffix("\r\n\r\ncontent"))
            #expect(call.contains("Host: x.example\r\n") && call.contains("X-Thing: 1\r\n"))
            #expect(call.contains("X-Call-Id: mine\r\n") && !call.contains("secret") && calls.all.count == 1)
            let answer = try #require(answers.all.first)
            #expect(answer.hasPrefix("POST /told HTTP/1.1\r\n") && answer.hasSuffix("\r\n\r\ndone"))
            #expect(answer.contains("X-Function-Status: 200\r\n") && answer.contains("X-Call-Id: mine\r\n"))
            #expect(
                answer.contains("X-Function-Name: hello.functions\r\n") && answer.contains("Content-Type: text/x\r\n"))
        }
    }

    @Test("What cannot be accepted is refused with its status")
    func refuses() async throws {
        let folder = try Folder()
        let function = try server(Inbox(), Self.ok)

        try await withGateway(folder, function: function.port, { $0.bodyBytesMaximum = 10 }) { ports in
            let port = ports.callers
            let unknown = try await post("/async-function/nobody", port: port)
            let none = try await post("/async-function/", port: port)
            let large = try await post("/async-function/hello", body: "12345678901", port: port)
            let chunked = try await send(
                "POST /async-function/hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "b\r\n12345678901\r\n0\r\n\r\n", port: port)
            let callback = try await post("/async-function/hello", "X-Callback-Url: /here\r\n", port: port)
            let fits = try await post("/async-function/hello.functions", body: "1234567890", port: port)
            let alias = try await post("/async-function/hello.openfaas-fn", port: port)

            #expect(unknown.hasPrefix("HTTP/1.1 404 ") && none.hasPrefix("HTTP/1.1 404 "))
            #expect(large.hasPrefix("HTTP/1.1 413 ") && chunked.hasPrefix("HTTP/1.1 413 "))
            #expect(callback.hasPrefix("HTTP/1.1 400 ") && fits.hasPrefix("HTTP/1.1 202 "))
            #expect(alias.hasPrefix("HTTP/1.1 202 "), "OpenFaaS' command line says so by default")
        }
    }

    @Test("A store that is full answers 429, one that is away 503, and other calls pass")
    func storeFails() async throws {
        let folder = try Folder()
        let function = try server(Inbox(), "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")

        try await withGateway(
            folder, function: function.port,
            { async in
                async.callsMaximum = 1
                async.retryMinimum = "1h"
                async.retryMaximum = "1h"
            }
        ) { ports in
            let first = try await post("/async-function/hello", port: ports.callers)
            let second = try await post("/async-function/hello", port: ports.callers)

            #expect(first.hasPrefix("HTTP/1.1 202 "))
            #expect(second.hasPrefix("HTTP/1.1 429 ") && second.contains("Retry-After: "))
        }
        try await withGateway(folder, function: function.port, { $0.sqlite = "/nowhere/calls.db" }) { ports in
            let away = try await post("/async-function/hello", port: ports.callers)
            let passed = try await post("/function/hello", port: ports.callers)

            #expect(away.hasPrefix("HTTP/1.1 503 ") && away.contains("Retry-After: "))
            #expect(passed.hasPrefix("HTTP/1.1 500 No\r\n"))
        }
    }

    @Test("A call that nothing helps can be listed, shown, made after all and dropped, with the token only")
    func deadCalls() async throws {
        let folder = try Folder()
        let calls = Inbox()
        let function = try server(calls, "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
        try folder.write("token", "the token of this test\n")

        try await withGateway(folder, function: function.port) { ports in
            func ask(
                _ method: String, _ path: String, _ token: String = "the token of this test"
            ) async throws -> String {
                try await send(
                    "\(method) \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer \(token)\r\n"
                        + "Content-Length: 0\r\n\r\n", port: ports.probes)
            }
            _ = try await post(
                "/async-function/hello/x", "X-Call-Id: bad\r\nAuthorization: Bearer mine\r\n", body: "body",
                port: ports.callers)
            try await until { try await ask("GET", "/async/counts").contains("\"dead\":1") }
            let list = try await ask("GET", "/async/dead")
            let id = try #require(list.split(separator: "\"id\":\"").last?.prefix(32))
            let shown = try await ask("GET", "/async/dead/\(id)")
            let replayed = try await ask("POST", "/async/dead/\(id)")
            try await until { calls.all.count == 4 }
            try await until { try await ask("GET", "/async/counts").contains("\"dead\":1") }
            let dropped = try await ask("DELETE", "/async/dead/\(id)")
            let again = try await ask("DELETE", "/async/dead/\(id)")
            let wrong = try await ask("GET", "/async/dead", "another token altogether")
            let method = try await ask("PUT", "/async/dead/\(id)")

            #expect(list.contains("\"callId\":\"bad\"") && list.contains("\"attempts\":2"))
            #expect(shown.contains("\"body\":\"body\"") && !shown.contains("Bearer mine"))
            #expect(replayed.hasPrefix("HTTP/1.1 202 ") && dropped.hasPrefix("HTTP/1.1 200 "))
            #expect(again.hasPrefix("HTTP/1.1 404 ") && wrong.hasPrefix("HTTP/1.1 401 "))
            #expect(method.hasPrefix("HTTP/1.1 405 "))
        }
    }

    @Test("Without a token's file nobody sees calls that were put away, nor from outside with one")
    func failsClosed() async throws {
        let folder = try Folder()
        let function = try server(Inbox(), Self.ok)

        try await withGateway(folder, function: function.port) { ports in
            let request = "GET /async/dead HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer \r\n\r\n"
            let inside = try await send(request, port: ports.probes)
            let outside = try await send(request, port: ports.callers)

            #expect(inside.hasPrefix("HTTP/1.1 401 ") && outside.hasPrefix("HTTP/1.1 404 "))
        }
    }

    @Test("An answer is never posted to a private address that is not allowed")
    func guardsCallbacks() async throws {
        let folder = try Folder()
        let (calls, answers) = (Inbox(), Inbox())
        let function = try server(calls, Self.ok)
        let receiver = try server(answers, "HTTP/1.1 204 No Content\r\n\r\n")
        try folder.write("token", "the token of this test\n")

        try await withGateway(folder, function: function.port, { $0.callbackAllowedCIDRs = [] }) { ports in
            _ = try await post(
                "/async-function/hello", "X-Callback-Url: http://127.0.0.1:\(receiver.port)/\r\n", port: ports.callers)
            try await until {
                try await send(
                    "GET /async/counts HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                        + "Authorization: Bearer the token of this test\r\n\r\n", port: ports.probes
                ).contains("\"dead\":1")
            }

            #expect(calls.all.count == 1 && answers.all.isEmpty && receiver.connections == 0)
        }
    }
}

extension String {
    /// Its lines, by the line ends of HTTP; the last is what comes after the last of them.
    fileprivate var components: [Substring] {
        split(separator: "\r\n", omittingEmptySubsequences: false)
    }
}
