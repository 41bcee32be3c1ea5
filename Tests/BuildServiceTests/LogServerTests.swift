import Builds
import CRDs
import ClusterAccess
import Cryptography
import Glibc
import HTTP
import JSON
import KubernetesTypes
import RawSockets
import Telemetry
import Testing
import Timing

@testable import BuildService

@Suite("The log API", .timeLimit(.minutes(10)))
struct LogServerTests {
    /// A log API on loopback with a cluster of its own.
    private struct Desk: Sendable {
        let cluster: LogCluster
        let tokens: ArtifactTokens
        let base: String
        let port: UInt16

        func send(
            _ path: String, token: String? = nil, accept: String? = nil, method: HTTPMethod = .get, body: [UInt8] = [],
            lastEvent: String? = nil
        ) async throws -> HTTPClientResponse {
            var headers = HTTPHeaders()
            if let token { headers.set("Authorization", "Bearer " + token) }
            if let accept { headers.set("Accept", accept) }
            if let lastEvent { headers.set("Last-Event-ID", lastEvent) }
            return try await HTTPClient().send(
                HTTPClientRequest(
                    method, url: base + path, headers: headers, body: method == .put ? .bytes(body) : .none))
        }

        func text(_ path: String, token: String? = nil, accept: String? = nil) async throws -> String {
            String(decoding: try await send(path, token: token, accept: accept).body, as: UTF8.self)
        }

        func store(_ log: LogKey, _ text: String) async throws {
            let client = LogClient(client: HTTPClient(), address: LogAddress(base: base), tokens: tokens.logs)
            try await client.store(log, Array(text.utf8))
        }
    }

    private static let commit = String(repeating: "a1", count: 20)

    private func with(_ body: (Desk) async throws -> Void) async throws {
        let folder = try StoreFolder()
        defer { system("rm -rf \(folder.path)/logs") }
        let cluster = LogCluster()
        cluster.addRepository("r-alex", url: "https://git.example.com/alex/ellis-fn.git", uid: "u1")
        cluster.addRepository("r-alex-ellis", url: "https://git.example.com/alex-ellis/fn.git", uid: "u2")
        cluster.allow("alex", token: "alex-token", "repositories", "farebox-functions/r-alex")
        cluster.allow("ellis", token: "ellis-token", "repositories", "farebox-functions/r-alex-ellis")
        cluster.allow("admin", token: "admin-token", "repositories", "farebox-functions/*")
        cluster.allow("admin", token: "admin-token", "functions", "farebox-functions/*")
        cluster.know("nobody", token: "nobody-token")
        let tokens = try #require(ArtifactTokens(key: randomBytes(32)))
        var configuration = LogsConfiguration()
        configuration.folder = folder.path + "/logs"
        configuration.port = 0
        configuration.logBytesMaximum = 1 << 20
        var surroundings = LogServer.Surroundings(
            buildsNamespace: "farebox-builds",
            registryCredentials: ObjectKey(namespace: "farebox-system", name: "farebox-registry"))
        surroundings.address = "127.0.0.1"
        let server = try LogServer(
            configuration: configuration, surroundings: surroundings, tokens: tokens, api: cluster,
            registry: MetricsRegistry())
        let port = try server.start()
        let running = Task { try await server.run() }
        let desk = Desk(cluster: cluster, tokens: tokens, base: "http://127.0.0.1:\(port)", port: port)
        let result: Result<Void, any Error>
        do {
            // Until the Repositories are known, nobody is let in.
            var status = HTTPStatus.serviceUnavailable
            while status == .serviceUnavailable {
                status = try await desk.send("/logs/v1/a/b/0123456/f", token: "nobody-token").status
            }
            result = .success(try await body(desk))
        } catch {
            result = .failure(error)
        }
        running.cancel()
        _ = await running.result
        try result.get()
    }

    private func key(_ owner: String, _ repository: String, _ function: String = "fn") throws -> LogKey {
        try #require(
            LogKey(owner: OwnerName(owner), repository: repository, commit: Self.commit, function: function))
    }

    private func labels(_ function: String, uid: String) -> [String: String] {
        [
            FareboxLabel.managedBy: "farebox", FareboxLabel.component: "build", FareboxLabel.function: function,
            FareboxLabel.commit: Self.commit, "farebox.dev/repository-uid": uid,
        ]
    }

    private func alexPath(_ query: String = "") -> String { "/logs/v1/alex/ellis-fn/\(Self.commit)/fn" + query }

    // MARK: - Stored logs

    @Test("A stored log is given in each form, and ends with its mark")
    func stored() async throws {
        try await with { (desk: Desk) async throws in
            try await desk.store(
                try key("Alex", "ellis-fn"), "2026-11-20T12:00:00.5Z one\n2026-11-20T12:00:01Z two \"2\"\n")

            let text = try await desk.send(alexPath(), token: "alex-token")
            let times = try await desk.text(alexPath("?timestamps=true"), token: "alex-token")
            let tail = try await desk.text(alexPath("?tail=1"), token: "alex-token")
            let lines = try await desk.send(alexPath(), token: "alex-token", accept: "application/x-ndjson")
            let events = try await desk.send(alexPath(), token: "alex-token", accept: "text/event-stream")
            let resumed = try await desk.send(
                alexPath(), token: "alex-token", accept: "text/event-stream", lastEvent: "1")
            let over = try await desk.send(
                alexPath(), token: "alex-token", accept: "text/event-stream", lastEvent: "end")

            #expect(String(decoding: text.body, as: UTF8.self) == "one\ntwo \"2\"\n")
            #expect(text.headers["Content-Type"] == "text/plain; charset=utf-8")
            #expect(text.headers["Cache-Control"] == "no-store")
            #expect(times == "2026-11-20T12:00:00.5Z one\n2026-11-20T12:00:01Z two \"2\"\n")
            #expect(tail == "two \"2\"\n")
            #expect(
                String(decoding: lines.body, as: UTF8.self) == """
                    {"line":"one","time":"2026-11-20T12:00:00.5Z"}
                    {"line":"two \\"2\\"","time":"2026-11-20T12:00:01Z"}
                    {"end":"complete"}

                    """)
            #expect(events.headers["Content-Type"] == "text/event-stream")
            let whole = """
                id: 1
                data: {"line":"one","time":"2026-11-20T12:00:00.5Z"}

                id: 2
                data: {"line":"two \\"2\\"","time":"2026-11-20T12:00:01Z"}

                event: end
                id: end
                data: {"end":"complete"}


                """
            #expect(String(decoding: events.body, as: UTF8.self) == whole)
            #expect(String(decoding: resumed.body, as: UTF8.self) == String(whole[whole.range(of: "id: 2")...]))
            #expect(over.status == .noContent)
        }
    }

    @Test("Owners whose names join to the same text never read each other's logs")
    func owners() async throws {
        try await with { (desk: Desk) async throws in
            try await desk.store(try key("alex", "ellis-fn"), "of alex\n")
            try await desk.store(try key("alex-ellis", "fn"), "of ellis\n")
            let ellisPath = "/logs/v1/alex-ellis/fn/\(Self.commit)/fn"

            #expect(try await desk.text(alexPath(), token: "alex-token") == "of alex\n")
            #expect(try await desk.text(ellisPath, token: "ellis-token") == "of ellis\n")
            #expect(try await desk.send(ellisPath, token: "alex-token").status == .notFound)
            #expect(try await desk.send(alexPath(), token: "ellis-token").status == .notFound)
            #expect(try await desk.text(ellisPath, token: "admin-token") == "of ellis\n")
            let odd = [
                "/logs/v1/alex/..%2falex-ellis/\(Self.commit)/fn",
                "/logs/v1/alex%2f..%2falex-ellis/fn/\(Self.commit)/fn",
                "/logs/v1/alex/ellis-fn/\(Self.commit)/..%2f..%2f..%2f..%2falex-ellis%2ffn%2f\(Self.commit)%2ffn",
                "/logs/v1/@farebox-functions/alex-ellis/fn/\(Self.commit)/fn",
                "/logs/v1/@other/alex-ellis/fn/\(Self.commit)/fn",
            ]
            for path in odd { #expect(try await desk.send(path, token: "alex-token").status == .notFound, "\(path)") }
        }
    }

    @Test("Who may not read a log cannot tell whether there is one")
    func secrecy() async throws {
        try await with { (desk: Desk) async throws in
            try await desk.store(try key("alex", "ellis-fn"), "of alex\n")
            let paths = [
                alexPath(), "/logs/v1/alex/ellis-fn/\(Self.commit)/other", "/logs/v1/nobody/none/\(Self.commit)/fn",
            ]
            var answers: Set<String> = []
            for path in paths {
                let answer = try await desk.send(path, token: "nobody-token")
                #expect(answer.status == .notFound)
                answers.insert(try JSONReader().parse(answer.body)["detail"]?.stringValue ?? "?")
                for token in [nil, "", "made-up"] {
                    #expect(try await desk.send(path, token: token).status == .unauthorized)
                }
            }
            let absent = try await desk.send(paths[1], token: "alex-token")
            answers.insert(try JSONReader().parse(absent.body)["detail"]?.stringValue ?? "?")

            #expect(answers.count == 1)
            #expect(absent.status == .notFound)
        }
    }

    @Test("A link opens one log without any account, until it expires")
    func links() async throws {
        try await with { (desk: Desk) async throws in
            let key = try key("alex", "ellis-fn")
            try await desk.store(key, "of alex\n")
            try await desk.store(try self.key("alex", "ellis-fn", "other"), "of alex too\n")
            let address = LogAddress(base: "")
            let before = desk.cluster.reviews
            let good = address.link(to: key, tokens: desk.tokens.logs, until: .now + .seconds(3600))
            let late = address.link(to: key, tokens: desk.tokens.logs, until: .now - .seconds(1))

            #expect(try await desk.text(good) == "of alex\n")
            #expect(try await desk.send(late).status == .unauthorized)
            #expect(try await desk.send(good + "x").status == .unauthorized)
            #expect(
                try await desk.send(
                    "/logs/v1/alex/ellis-fn/\(Self.commit)/other" + String(good.drop { $0 != "?" })
                ).status == .unauthorized)
            #expect(desk.cluster.reviews == before)
        }
    }

    @Test("Only the operator stores, and nothing too large")
    func storing() async throws {
        try await with { (desk: Desk) async throws in
            let write = desk.tokens.logs.write
            for token in [nil, "admin-token", desk.tokens.write, write + "x"] {
                #expect(try await desk.send(alexPath(), token: token, method: .put, body: [1]).status == .unauthorized)
            }
            let large = [UInt8](repeating: 0x61, count: (1 << 20) + 1)
            #expect(try await desk.send(alexPath(), token: write, method: .put, body: large).status.code >= 400)
            #expect(try await desk.send(alexPath(), token: write, method: .delete).status == .methodNotAllowed)
            #expect(
                try await desk.send("/logs/v1/functions/a/b", token: write, method: .put).status == .methodNotAllowed)
            #expect(try await desk.send(alexPath(), token: "alex-token").status == .notFound)
        }
    }

    @Test(
        "Paths that name nothing are absent, wherever they lead",
        arguments: [
            "/", "/logs", "/logs/v1", "/logs/v1/", "/logs/v1/a", "/logs/v1/a/b/c/d", "/logs/v1/functions/a",
            "/logs/v1/functions/A/b", "/logs/v1/functions/a/b/c/d/e", "/logs/v2/a/b/0123456/f", "/metrics", "/healthz",
            "/logs/v1/" + String(repeating: "a", count: 3100) + "/b/0123456/f", "/logs/v1/a/b/0123456/%0a",
        ])
    func absent(path: String) async throws {
        try await with { (desk: Desk) async throws in
            let answer = try await desk.send(path, token: "admin-token")

            // The server itself refuses what no path may hold.
            #expect(answer.status == .notFound || (path.contains("%") && answer.status == .badRequest))
        }
    }

    @Test(
        "A wrong parameter is named",
        arguments: ["tail=-1", "tail=x", "tail=9999999999999999999", "follow=maybe", "since=yesterday", "tail=%zz"])
    func parameters(query: String) async throws {
        try await with { (desk: Desk) async throws in
            let answer = try await desk.send(alexPath("?" + query), token: "alex-token")

            #expect(answer.status == .badRequest)
        }
    }

    @Test("Rights are asked for once in a while, not at each request")
    func remembering() async throws {
        let cluster = LogCluster()
        cluster.allow("alex", token: "alex-token", "repositories", "farebox-functions/r-alex")
        let access = AccessDesk(review: AccessReview(api: cluster), lifetime: .seconds(3600))
        let hasty = AccessDesk(review: AccessReview(api: cluster), lifetime: .zero)
        let wish = AccessReview.Wish(log: "repositories", namespace: "farebox-functions", name: "r-alex")

        for _ in 0..<20 {
            #expect(try await access.granted([wish], token: "alex-token").answer == .yes)
            #expect(try await access.granted([wish], token: "made-up").answer == .unknown)
        }
        let remembered = cluster.reviews
        for _ in 0..<2 { _ = try await hasty.granted([wish], token: "alex-token") }

        #expect(remembered == 3, "two tokens and one right")
        #expect(cluster.reviews - remembered == 4)
    }

    @Test("Tokens that are made up do not become a load on the API server")
    func flood() async throws {
        try await with { (desk: Desk) async throws in
            var codes: Set<Int> = []
            for number in 0..<250 { codes.insert(try await desk.send(alexPath(), token: "t\(number)").status.code) }

            #expect(codes.isSubset(of: [401, 429]))
            #expect(codes.contains(401))
        }
    }

    @Test("Without the API server links still open what is stored, and tokens are told to wait")
    func away() async throws {
        try await with { (desk: Desk) async throws in
            let key = try key("alex", "ellis-fn")
            try await desk.store(key, "of alex\n")
            desk.cluster.goAway()

            let link = LogAddress(base: "").link(to: key, tokens: desk.tokens.logs, until: .now + .seconds(3600))
            #expect(try await desk.text(link) == "of alex\n")
            #expect(try await desk.send(alexPath(), token: "alex-token").status == .serviceUnavailable)
        }
    }

    // MARK: - Live logs

    @Test("A build is followed while it writes, without its secrets, to its end")
    func live() async throws {
        try await with { (desk: Desk) async throws in
            let config = #"{"auths":{"registry:5000":{"username":"u","password":"hunter2-hunter2"}}}"#
            desk.cluster.addSecret(
                "farebox-registry", [".dockerconfigjson": Base64.encode(Array(config.utf8))])
            let digest = String(repeating: "0", count: 64)
            let contextToken = desk.tokens.read(digest: digest)
            let stream = LogStream()
            desk.cluster.setPod(
                "b1", namespace: "farebox-builds", labels: labels("fn", uid: "u1"), container: "build",
                state: ["running": [:]], arguments: ["--opt", "context=http://x/artifacts/sha256-\(digest).tar"])
            desk.cluster.setLog("b1", [stream])
            let client = try RawClient(port: desk.port)
            try await client.send(
                "GET \(alexPath()) HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nConnection: close\r\n"
                    + "Authorization: Bearer alex-token\r\n\r\n")

            stream.say("2026-11-20T12:00:00Z first\n2026-11-20T12:00:01Z sec")
            let first = try await client.receive(until: "first")
            stream.say("ond: hunter2-hunter2 and \(contextToken)\n")
            let second = try await client.receive(until: "second")
            stream.end()
            let rest = try await client.receiveAll()

            #expect(first.contains("id: 1"))
            #expect(!first.contains("second"))
            let all = first + second + rest
            #expect(all.contains("second: *** and ***"))
            #expect(!all.contains("hunter2") && !all.contains(contextToken))
            #expect(all.contains("event: end"))
        }
    }

    @Test("A build of another owner's Repository is not found, though function and commit are the same")
    func liveOwners() async throws {
        try await with { (desk: Desk) async throws in
            desk.cluster.setPod(
                "b2", namespace: "farebox-builds", labels: labels("fn", uid: "u2"), container: "build",
                state: ["running": [:]])
            desk.cluster.setLog("b2", [LogStream("2026-11-20T12:00:00Z of ellis\n")])

            #expect(try await desk.send(alexPath(), token: "alex-token").status == .notFound)
            #expect(
                try await desk.text("/logs/v1/alex-ellis/fn/\(Self.commit)/fn", token: "ellis-token") == "of ellis\n")
        }
    }

    @Test("A stream that breaks is taken up where it broke")
    func broken() async throws {
        try await with { (desk: Desk) async throws in
            desk.cluster.setPod(
                "b1", namespace: "farebox-builds", labels: labels("fn", uid: "u1"), container: "build",
                state: ["running": [:]])
            let log = (1...50).map { "2026-11-20T12:00:00Z line \($0)\n" }
            desk.cluster.setLog(
                "b1",
                [
                    LogStream(log[..<10].joined() + "2026-11-20T12:00:00Z li", breaks: true),
                    LogStream(log[..<30].joined(), breaks: true), LogStream(log.joined()),
                ])

            let text = try await desk.text(alexPath("?follow=true"), token: "alex-token")

            #expect(text == (1...50).map { "line \($0)\n" }.joined())
        }
    }

    @Test("A build that waits for its pod is waited for; without following the answer is what there is")
    func waiting() async throws {
        try await with { (desk: Desk) async throws in
            desk.cluster.setPod(
                "b1", namespace: "farebox-builds", labels: labels("fn", uid: "u1"), container: "build",
                state: ["waiting": ["reason": "ContainerCreating"]], phase: "Pending")
            desk.cluster.setLog("b1", [LogStream("2026-11-20T12:00:00Z begun\n")])
            let nothing = try await desk.text(alexPath(), token: "alex-token")
            async let following = desk.text(alexPath(), token: "alex-token", accept: "application/x-ndjson")

            desk.cluster.setPod(
                "b1", namespace: "farebox-builds", labels: labels("fn", uid: "u1"), container: "build",
                state: ["terminated": ["exitCode": 0]], phase: "Succeeded")

            #expect(nothing.isEmpty)
            #expect(try await following.contains("begun"))
        }
    }

    @Test("A reader that takes nothing holds the log up instead of filling the memory")
    func slowReader() async throws {
        try await with { (desk: Desk) async throws in
            let stream = LogStream()
            desk.cluster.setPod(
                "b1", namespace: "farebox-builds", labels: labels("fn", uid: "u1"), container: "build",
                state: ["running": [:]])
            desk.cluster.setLog("b1", [stream])
            let piece = String(repeating: "x", count: 60_000) + "\n"
            for _ in 0..<400 { stream.say(piece) }
            let client = try RawClient(port: desk.port, receiveBufferBytes: 4096)

            try await client.send(
                "GET \(alexPath("?follow=true")) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer alex-token\r\n\r\n")
            #expect(await eventually { stream.reads > 0 }, "the server may take a while to begin")
            let taken = await settled { stream.reads }

            #expect(taken < 200)
            await client.close()
            #expect(await eventually { stream.isCancelled })
        }
    }

    // MARK: - Functions

    @Test("The logs of all pods of a function are given in the gateway's dialect")
    func functions() async throws {
        try await with { (desk: Desk) async throws in
            for (index, name) in ["p1", "p2"].enumerated() {
                desk.cluster.setPod(
                    name, namespace: "farebox-functions",
                    labels: [FareboxLabel.name: "alex-hello", FareboxLabel.component: "function"],
                    container: "function",
                    state: ["running": [:]])
                let log = "2026-11-20T12:00:0\(index)Z from \(name)\n"
                desk.cluster.setLog(name, [LogStream(log), LogStream(log)])
            }

            let lines = try await desk.text(
                "/logs/v1/functions/farebox-functions/alex-hello?follow=false", token: "admin-token",
                accept: "application/x-ndjson")
            let text = try await desk.text("/logs/v1/functions/farebox-functions/alex-hello", token: "admin-token")

            let first: JSONValue = [
                "name": "alex-hello", "namespace": "farebox-functions", "instance": "p1",
                "timestamp": "2026-11-20T12:00:00Z", "text": "from p1",
            ]
            let read = try lines.split(separator: "\n").map { try JSONReader().parse(String($0)) }
            #expect(read.count == 2)
            #expect(read.first == first)
            #expect(text.contains("p2 from p2\n"))
        }
    }

    @Test("Pods that come later are followed as well")
    func followFunctions() async throws {
        try await with { (desk: Desk) async throws in
            let label = [FareboxLabel.name: "alex-hello", FareboxLabel.component: "function"]
            desk.cluster.setPod(
                "p1", namespace: "farebox-functions", labels: label, container: "function", state: ["running": [:]])
            let first = LogStream()
            desk.cluster.setLog("p1", [first])
            let client = try RawClient(port: desk.port)
            try await client.send(
                "GET /logs/v1/functions/farebox-functions/alex-hello HTTP/1.1\r\nHost: x\r\n"
                    + "Accept: application/x-ndjson\r\nAuthorization: Bearer admin-token\r\n\r\n")

            first.say("2026-11-20T12:00:00Z one\n")
            _ = try await client.receive(until: "one")
            desk.cluster.setLog("p2", [LogStream("2026-11-20T12:00:01Z two\n")])
            desk.cluster.setPod(
                "p2", namespace: "farebox-functions", labels: label, container: "function", state: ["running": [:]])
            let later = try await client.receive(until: "two")

            #expect(later.contains("\"instance\":\"p2\""))
            await client.close()
            #expect(await eventually { first.isCancelled })
        }
    }

    @Test("A function's log is for whom it is allowed, and unknown ones are absent")
    func functionAccess() async throws {
        try await with { (desk: Desk) async throws in
            let path = "/logs/v1/functions/farebox-functions/alex-hello"

            #expect(try await desk.send(path, token: "alex-token").status == .notFound)
            #expect(try await desk.send(path, token: "admin-token").status == .notFound)
            #expect(try await desk.send(path).status == .unauthorized)
            #expect(try await desk.send(path + "?token=x").status == .unauthorized)
        }
    }
}

extension String {
    /// From where a text begins, or the end.
    fileprivate func range(of text: String) -> String.Index {
        var index = startIndex
        while index < endIndex, !self[index...].hasPrefix(text) { index = self.index(after: index) }
        return index
    }
}
