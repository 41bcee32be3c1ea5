import CRDs
import Cryptography
import HTTP
import JSON
import KubernetesClient
import KubernetesTypes
import MemoryCluster
import RawSockets
import Synchronization
import Testing

@testable import AdminService

@Suite("The process behind OpenFaaS' REST API", .timeLimit(.minutes(10)))
struct AdminServerTests {
    @Test("Without the right credentials everything is 401 in OpenFaaS' words, and health is open")
    func unauthorized() async throws {
        try await AdminOffice.with { (office: AdminOffice) async throws in
            let wrong = [
                nil, "Bearer ", "Bearer made-up", "Basic " + Base64.encode(Array("admin:wrong".utf8)),
                "Basic " + Base64.encode(Array("root:\(AdminOffice.password)".utf8)), "Basic YQ", "Negotiate x",
            ]
            let paths = [
                "/system/functions", "/system/function/hello", "/system/info", "/system/logs?name=a", "/system/secrets",
                "/system/namespaces", "/system/namespace/a", "/system/metrics",
            ]
            for path in paths {
                let answer = try await office.send(.get, path, as: nil)
                #expect(answer.status == 401, "\(path)")
            }
            for authorization in wrong {
                let answer = try await office.send(.get, "/system/functions", as: authorization)
                #expect(answer.status == 401)
                #expect(answer.text == "invalid credentials\n")
                #expect(answer.headers["WWW-Authenticate"] == "Basic realm=\"Restricted\"")
            }
            #expect(try await office.send(.get, "/healthz", as: nil).status == 200)
            #expect(try await office.send(.head, "/healthz", as: nil).status == 200)
            #expect(try await office.send(.get, "/metrics", as: nil).status == 404)
        }
    }

    @Test("Who guesses has to rest, without a question to the API server, and locks nobody out")
    func guessing() async throws {
        // However long sixty requests take, none is forgiven meanwhile.
        let failures = FailureLimit(interval: .seconds(3600))
        try await AdminOffice.with(failures: failures) { (office: AdminOffice) async throws in
            var statuses: Set<Int> = []
            for number in 0..<60 {
                let guess = number % 2 == 0 ? "Bearer t\(number)" : "Basic " + Base64.encode([0x61, 0x3A, 0x62])
                statuses.insert(try await office.send(.get, "/system/info", as: guess).status)
            }
            let reviews = (office.api as? ReviewingAPI)?.reviews ?? 0

            #expect(statuses == [401, 429])
            #expect(reviews > 0 && reviews <= FailureLimit.burst)
            #expect(try await office.send(.get, "/system/info").status == 200)
        }
    }

    @Test("What the command line looks into without asking is there")
    func info() async throws {
        try await AdminOffice.with { (office: AdminOffice) async throws in
            let info = try await office.send(.get, "/system/info").json

            #expect(info[path: "provider", "provider"] == "farebox")
            #expect(info[path: "provider", "orchestration"] == "kubernetes")
            #expect(info[path: "provider", "version", "release"] == "0.1.0")
            #expect(info[path: "version", "release"] == "0.1.0")
            #expect(info["arch"] != nil)
        }
    }

    @Test("A method that means nothing is told which do")
    func methods() async throws {
        try await AdminOffice.with { (office: AdminOffice) async throws in
            let answer = try await office.send(.post, "/system/info")

            #expect(answer.status == 405)
            #expect(answer.headers["Allow"] == "GET")
            #expect(try await office.send(.get, "/system/scale-function/a").headers["Allow"] == "POST")
        }
    }

    @Test("A page of another site changes nothing with the password its reader once typed")
    func crossSite() async throws {
        try await AdminOffice.with { (office: AdminOffice) async throws in
            let answer = try await office.send(
                .delete, "/system/functions", ["functionName": "hello"], headers: [("Sec-Fetch-Site", "cross-site")])

            #expect(answer.status == 403)
        }
    }

    @Test(
        "Bodies that mean nothing are refused with a reason, and nothing is written",
        arguments: ["", "{", "null", "[]", "{}", #"{"service":5}"#, #"{"functionName":{}}"#, "\u{0}"])
    func hostileBodies(text: String) async throws {
        try await AdminOffice.with { (office: AdminOffice) async throws in
            for (method, path) in [
                (HTTPMethod.post, "/system/functions"), (.put, "/system/functions"), (.delete, "/system/functions"),
                (.post, "/system/secrets"), (.put, "/system/secrets"), (.delete, "/system/secrets"),
                (.post, "/system/scale-function/hello"),
            ] {
                let answer = try await office.send(method, path, text: Array(text.utf8))
                #expect(answer.status == 400, "\(method) \(path)")
                #expect(!answer.text.isEmpty)
            }
        }
    }

    @Test("A body beyond the limit is refused")
    func largeBody() async throws {
        try await AdminOffice.with { (office: AdminOffice) async throws in
            let body = [UInt8](repeating: 0x20, count: FunctionDeployment.bytesMaximum + 1)

            #expect(try await office.send(.post, "/system/functions", text: body).status == 413)
        }
    }

    @Test("A number of replicas without effect is no success", arguments: [-1, 0, 1001, Int64.max])
    func scale(replicas: Int64) async throws {
        try await AdminOffice.with { (office: AdminOffice) async throws in
            let key = ObjectKey(namespace: office.namespace, name: "hello")
            let function = Function(
                metadata: ObjectMeta(name: key.name, namespace: key.namespace), spec: FunctionSpec(image: "i"))
            _ = try await office.api.create(function)

            let answer = try await office.send(
                .post, "/system/scale-function/hello", ["replicas": .integer(replicas)])

            #expect(answer.status == 400)
            #expect(try await office.api.get(Function.self, key).spec.replicas == nil)
        }
    }

    @Test("While the API server is away callers are told to come back")
    func away() async throws {
        try await AdminOffice.with { (office: AdminOffice) async throws in
            (office.api as? ReviewingAPI)?.goAway()

            let known = try await office.send(.get, "/system/functions")
            let unknown = try await office.send(.get, "/system/functions", as: "Bearer t")

            #expect(known.status == 503 && known.headers["Retry-After"] == "1")
            #expect(unknown.status == 503)
        }
    }

    @Test("The log of a function is one object a line")
    func logs() async throws {
        try await AdminOffice.with { (office: AdminOffice) async throws in
            let memory = try #require(office.api as? ReviewingAPI).memory
            let function = Function(
                metadata: ObjectMeta(name: "hello", namespace: office.namespace), spec: FunctionSpec(image: "i"))
            _ = try await office.api.create(function)
            var pod = Pod(
                metadata: ObjectMeta(
                    name: "hello-1", namespace: office.namespace,
                    labels: [
                        FareboxLabel.name: "hello", FareboxLabel.component: FareboxLabel.functionComponent,
                    ]))
            var status = PodStatus(phase: "Running")
            status.containerStatuses = [
                ContainerStatus(name: "function", state: ContainerState(running: ContainerStateRunning()))
            ]
            pod.status = status
            _ = try await office.api.create(pod)
            memory.say("2026-01-31T12:00:00.5Z one\n2026-01-31T12:00:01Z two\n", as: "hello-1")

            let answer = try await office.send(.get, "/system/logs?name=hello&follow=false&tail=-1")
            // OpenFaaS' SDK writes the flag as a number.
            let bySDK = try await office.send(.get, "/system/logs?follow=0&name=hello&since=2026-01-01T00%3A00%3A00Z")
            let other = try await office.send(.get, "/system/logs?name=hello&instance=hello-2")
            let absent = try await office.send(.get, "/system/logs?name=other")
            let nameless = try await office.send(.get, "/system/logs")

            let lines = answer.text.split(separator: "\n").compactMap { try? JSONReader().parse(String($0)) }
            #expect(answer.headers["Content-Type"] == "application/x-ndjson")
            #expect(lines.map { $0["text"] } == ["one\n", "two\n"])
            #expect(lines.allSatisfy { $0["instance"] == "hello-1" && $0["name"] == "hello" })
            #expect(bySDK.status == 200 && bySDK.text == answer.text)
            #expect(other.status == 200 && other.text.isEmpty)
            #expect(absent.status == 404)
            #expect(nameless.status == 400)
        }
    }

    // MARK: - Calls

    private func upstream() throws -> RawServer {
        try RawServer { connection, _ in
            while case let head = try await connection.receive(until: "\r\n\r\n"), head.contains("\r\n\r\n") {
                let line = head.prefix { $0 != "\r\n" && $0 != "\r" }
                try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(line.utf8.count)\r\n\r\n\(line)")
            }
        }
    }

    @Test("Calls are passed on to the gateway as they are, and nobody has to say who they are")
    func calls() async throws {
        let gateway = try upstream()
        try await AdminOffice.with(gateway: gateway.port, rootDomain: "example.com") {
            (office: AdminOffice) async throws in
            // The gateway's name is looked up while the first calls come.
            var first = try await office.send(.get, "/function/hello.openfaas-fn/a?b=c", as: nil)
            while first.status == 503 {
                first = try await office.send(.get, "/function/hello.openfaas-fn/a?b=c", as: nil)
            }
            let async = try await office.send(.post, "/async-function/hello", as: nil)
            let owner = try await office.send(.get, "/function/hello", as: nil, headers: [("Host", "faas.Example.com")])
            let root = try await office.send(.get, "/function/hello", as: nil, headers: [("Host", "example.com")])

            #expect(first.text.hasPrefix("GET /function/hello.openfaas-fn/a?b=c HTTP/1.1"))
            #expect(async.text.hasPrefix("POST /async-function/hello HTTP/1.1"))
            #expect(owner.status == 421, "the gateway would take the host for an owner's")
            #expect(root.status == 200)
            #expect(try await office.send(.get, "/functions/hello").status == 404)
        }
    }

    @Test("The gateway's name is looked up again when calls fail, and what was known stays when there is no answer")
    func lookUp() async throws {
        let resolver = Resolver(["127.0.0.1", "127.0.0.2"])
        let address = try #require(GatewayAddress("http://gateway:80"))
        let destination = GatewayDestination(address, pause: .zero) { _ in resolver.lookUp() }
        func hosts() -> Set<String> {
            var hosts: Set<String> = []
            for random in 0..<UInt64(10) {
                if case .endpoint(let endpoint) = destination.endpoint(avoiding: nil, random: random) {
                    hosts.insert(endpoint.address.host)
                }
            }
            return hosts
        }

        #expect(await eventually { hosts() == ["127.0.0.1", "127.0.0.2"] })
        resolver.say(["127.0.0.2"])
        // Asked for at each look: a look-up that was under way has the answer of before.
        let isChanged = await eventually {
            destination.refresh()
            return hosts() == ["127.0.0.2"]
        }
        #expect(isChanged)
        resolver.say([])
        let before = resolver.count
        // One follows the other: when the second begins, what the first one found has been taken.
        let isAsked = await eventually {
            destination.refresh()
            return resolver.count >= before + 2
        }
        #expect(isAsked)
        #expect(hosts() == ["127.0.0.2"])
    }
}

/// Answers what it was last told to say, and counts how often it is asked.
private final class Resolver: Sendable {
    private let state: Mutex<(hosts: [String], count: Int)>

    init(_ hosts: [String]) { state = Mutex((hosts, 0)) }

    var count: Int { state.withLock { $0.count } }

    func say(_ hosts: [String]) { state.withLock { $0.hosts = hosts } }

    func lookUp() -> [String] {
        state.withLock { state in
            state.count += 1
            return state.hosts
        }
    }
}
