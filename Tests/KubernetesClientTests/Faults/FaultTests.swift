import FaultServer
import HTTP
import JSON
import KubernetesTypes
import Synchronization
import Telemetry
import Testing

@testable import KubernetesClient

@Suite("The client and a server that fails", .timeLimit(.minutes(10)))
struct FaultTests {
    private let key = ObjectKey(namespace: "ns", name: "a")
    private let configMap = ConfigMap(metadata: ObjectMeta(name: "a", namespace: "ns"))
    private static let object = #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"ns"}}"#

    /// Runs a test against a server that follows a script, with a client of it.
    private func withServer(
        _ script: @escaping FaultServer.Script, metrics: MetricsRegistry? = nil,
        change: (inout ClientConfiguration) -> Void = { _ in },
        _ body: (FaultServer, Client) async throws -> Void
    ) async throws {
        let server = try FaultServer(script: script)
        var configuration = ClientConfiguration(server: server.url)
        configuration.proxy = .none
        change(&configuration)
        do {
            try await body(server, Client(configuration, metrics: metrics))
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    private static func status(_ code: Int, _ reason: String, retryAfter: String? = nil) -> FaultServer.Reply {
        var headers = HTTPHeaders([("Content-Type", "application/json")])
        if let retryAfter { headers.add("Retry-After", retryAfter) }
        let body: JSONValue = ["kind": "Status", "reason": .string(reason), "code": .integer(Int64(code))]
        return .response(HTTPResponse(HTTPStatus(code), headers: headers, body: .bytes(JSONWriter().write(body))))
    }

    private static let ok = FaultServer.Reply.steps([.text(object)])

    private func watch(_ client: Client, silence: Duration? = nil) async throws -> WatchStream {
        try await client.watch(
            ConfigMap.self, namespace: "ns", options: WatchOptions(resourceVersion: "1", silenceMaximum: silence))
    }

    @Test("A server that is too busy is asked again, reads and writes alike", arguments: [429, 500, 503])
    func busy(code: Int) async throws {
        let metrics = MetricsRegistry()
        try await withServer({ _ in Self.ok }, metrics: metrics) { server, client in
            server.next(2, Self.status(code, "Busy", retryAfter: "0"), where: { $0.method == .get })
            server.next(2, Self.status(code, "Busy", retryAfter: "0"), where: { $0.method == .post })

            _ = try await client.get(ConfigMap.self, key)
            _ = try await client.create(configMap)

            #expect(server.requests.map(\.method) == [.get, .get, .get, .post, .post, .post])
            let text = String(decoding: metrics.render(), as: UTF8.self)
            #expect(text.contains(#"rest_client_request_retries_total{code="\#(code)",verb="create""#))
        }
    }

    @Test(
        "A refusal without Retry-After is the caller's", arguments: [(429, "TooManyRequests"), (500, "InternalError")])
    func refused(code: Int, reason: String) async throws {
        try await withServer({ _ in Self.status(code, reason) }) { server, client in
            let error = await #expect(throws: KubernetesError.self) { try await client.get(ConfigMap.self, key) }

            #expect(error?.status?.code == code)
            #expect(server.requests.count == 1)
        }
    }

    @Test("A read whose answer breaks off is made again, a write is not")
    func brokenAnswers() async throws {
        let broken = FaultServer.Reply.steps([.text(#"{"apiVersion":"v1","kind""#), .cut])
        try await withServer({ _ in Self.ok }) { server, client in
            server.next(1, broken, where: { _ in true })
            let read = try await client.get(ConfigMap.self, key)
            #expect(read.metadata.name == "a")
            #expect(server.requests.count == 2)

            server.next(1, broken, where: { _ in true })
            let error = await #expect(throws: KubernetesError.self) { try await client.create(configMap) }
            guard case .transport(let cause, "create configmaps.v1 in ns") = error else {
                Issue.record("unexpected \(String(describing: error))")
                return
            }
            #expect(cause.mayHaveArrived)
            #expect(server.requests.count == 3)
        }
    }

    @Test("A server that says nothing is left after the limit")
    func silentAnswer() async throws {
        try await withServer({ _ in .steps([.silence]) }, change: { $0.requestTimeout = .milliseconds(200) }) {
            _, client in
            let error = await #expect(throws: KubernetesError.self) { try await client.get(ConfigMap.self, key) }

            guard case .transport(.timedOut, _) = error else {
                Issue.record("unexpected \(String(describing: error))")
                return
            }
        }
    }

    @Test("Connections on which a server was silent are left, but not over and over")
    func leavesSuspects() throws {
        let pool = try ConnectionPool(ClientConfiguration(server: "https://x"), ConfigurationFixture().surroundings) {}
        let start = ContinuousClock.now
        let client = { (now: ContinuousClock.Instant) in pool.client(for: RequestCredential(), at: now) }
        let first = client(start)

        pool.suspect(first, at: start)
        let second = client(start)
        pool.suspect(first, at: start + .seconds(60))
        let stillSecond = client(start)
        pool.suspect(second, at: start + .seconds(9))
        let unchanged = client(start)
        pool.suspect(second, at: start + .seconds(10))
        let third = client(start)

        #expect(second !== first)
        #expect(stillSecond === second && unchanged === second)
        #expect(third !== second)
    }

    @Test("A certificate of a plugin gets connections of its own, a token does not")
    func leavesForCertificates() throws {
        let pool = try ConnectionPool(ClientConfiguration(server: "https://x"), ConfigurationFixture().surroundings) {}
        let identity = PEMIdentity(certificate: [1], key: [2])

        let plain = pool.client(for: RequestCredential(), at: .now)
        let withToken = pool.client(for: RequestCredential(authorization: SecretText("t")), at: .now)
        let withCertificate = pool.client(for: RequestCredential(identity: identity), at: .now)
        let again = pool.client(for: RequestCredential(identity: identity), at: .now)

        #expect(plain === withToken)
        #expect(withCertificate !== plain)
        #expect(again === withCertificate)
    }

    @Test(
        "A watch that is refused tells the reason",
        arguments: [(410, "Expired"), (403, "Forbidden"), (404, "NotFound")])
    func watchRefused(code: Int, reason: String) async throws {
        try await withServer({ _ in Self.status(code, reason) }) { _, client in
            let error = await #expect(throws: KubernetesError.self) { try await watch(client) }

            #expect(error?.status?.reason?.rawValue == reason)
        }
    }

    @Test("A watch whose head never comes is left after the limit")
    func watchWithoutHead() async throws {
        try await withServer({ _ in .steps([.silence]) }, change: { $0.requestTimeout = .milliseconds(200) }) {
            _, client in
            let error = await #expect(throws: KubernetesError.self) {
                let stream = try await watch(client, silence: .milliseconds(200))
                _ = try await stream.next()
            }

            guard case .transport(.timedOut, _) = error else {
                Issue.record("unexpected \(String(describing: error))")
                return
            }
        }
    }

    private static func event(_ type: String) -> String { #"{"type":"\#(type)","object":\#(object)}"# + "\n" }

    @Test("Events before a break are delivered, the torn one is not, and the break is told")
    func tornWatch() async throws {
        let reply = FaultServer.Reply.steps([
            .text(Self.event("ADDED")), .text(String(Self.event("MODIFIED").dropLast(20))), .cut,
        ])
        try await withServer({ _ in reply }) { _, client in
            let stream = try await watch(client)

            let batch = try await stream.next()
            let error = await #expect(throws: KubernetesError.self) {
                while try await stream.next() != nil {}
            }

            #expect(batch?.count == 1)
            guard case .transport(.connectionLost, _) = error else {
                Issue.record("unexpected \(String(describing: error))")
                return
            }
        }
    }

    @Test("A watch that ends regularly just ends, whatever half a line came last")
    func endedWatch() async throws {
        try await withServer({ _ in .steps([.text(Self.event("ADDED") + "{\"type\":")]) }) { _, client in
            let stream = try await watch(client)

            var count = 0
            while let batch = try await stream.next() { count += batch.count }

            #expect(count == 1)
        }
    }

    @Test("A watch that falls silent ends after the limit, and what came before is delivered")
    func silentWatch() async throws {
        try await withServer({ _ in .steps([.text(Self.event("ADDED")), .silence]) }) { _, client in
            var silence = Duration.seconds(1)
            var stream = try await watch(client, silence: silence)
            var count: Int?
            while count == nil {
                do {
                    count = try await stream.next()?.count ?? 0
                } catch KubernetesError.transport(.timedOut, _) where silence < .seconds(30) {
                    // On a busy machine the event itself can be later than a short limit; then a longer one is tried.
                    silence *= 6
                    stream = try await watch(client, silence: silence)
                }
            }
            let open = stream
            let error = await #expect(throws: KubernetesError.self) { try await open.next() }

            #expect(count == 1)
            guard case .transport(.timedOut, "watch configmaps.v1 in ns") = error else {
                Issue.record("unexpected \(String(describing: error))")
                return
            }
        }
    }

    @Test(
        "An answer that is not what was asked for is an error, not a crash",
        arguments: ["", "null", "[]", "<html>", #"{"metadata":5}"#, #"{"metadata":{"name":"a"}"#, "\u{0}\u{1}"])
    func nonsense(body: String) async throws {
        try await withServer({ _ in .response(.text(.ok, body)) }) { _, client in
            let error = await #expect(throws: KubernetesError.self) { try await client.get(ConfigMap.self, key) }

            guard case .decoding = error else {
                Issue.record("unexpected \(String(describing: error))")
                return
            }
        }
    }

    @Test("A redirect is not followed: a credential belongs to one server")
    func redirect() async throws {
        let elsewhere = HTTPHeaders([("Location", "/elsewhere")])
        try await withServer({ _ in .response(HTTPResponse(HTTPStatus(302), headers: elsewhere)) }) { server, client in
            let error = await #expect(throws: KubernetesError.self) { try await client.get(ConfigMap.self, key) }

            #expect(error?.status?.code == 302)
            #expect(server.requests.count == 1)
        }
    }

    @Test("Cancelling while the server asks for patience ends the wait")
    func cancelledWait() async throws {
        try await withServer({ _ in Self.status(429, "TooManyRequests", retryAfter: "30") }) { server, client in
            let task = Task { try await client.get(ConfigMap.self, ObjectKey(namespace: "ns", name: "a")) }
            while server.requests.isEmpty { try await ContinuousClock().sleep(for: .milliseconds(2)) }

            task.cancel()

            await #expect(throws: CancellationError.self) { _ = try await task.value }
        }
    }

    @Test("Path prefix, impersonation and user agent arrive as configured")
    func asConfigured() async throws {
        try await withServer(
            { _ in Self.ok },
            change: { configuration in
                configuration.server += "/k8s/clusters/c-1"
                configuration.impersonation = Impersonation(user: "jane", groups: ["a", "b"])
                configuration = configuration.dedicated(to: "test", requestTimeout: .seconds(60))
            }
        ) { server, client in
            _ = try await client.get(ConfigMap.self, key)

            let request = try #require(server.requests.first)
            #expect(request.path == "/k8s/clusters/c-1/api/v1/namespaces/ns/configmaps/a")
            #expect(request.headers["Impersonate-User"] == "jane")
            #expect(request.headers.values(for: "Impersonate-Group") == ["a", "b"])
            #expect(request.headers["User-Agent"] == ClientConfiguration.defaultUserAgent + "/test")
        }
    }
}
