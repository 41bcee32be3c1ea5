import CRDs
import Cryptography
import HTTP
import KubernetesTypes
import Testing

@testable import Webhook

@Suite("A delivery")
struct DeliveryTests {
    static let push = (try? Sample(host: .gitHub, name: "push").bytes()) ?? []

    @Test("Every payload of every host is answered without a fault, and twice the same way", arguments: Sample.all)
    func corpus(sample: Sample) async throws {
        let desk = Desk(
            store: MemoryStore([Desk.made(), Desk.applied("other", url: "https://github.com/Alice/Rocket")]))

        let first = try await desk.post(sample)
        let afterFirst = desk.store.objects
        let second = try await desk.post(sample)

        let statuses: [HTTPStatus] = [.ok, .accepted, .notFound]
        #expect(statuses.contains(first.status), "\(first.text)")
        #expect(second.status == (first.status == .notFound ? .notFound : .ok), "\(second.text)")
        #expect(desk.store.objects == afterFirst)
    }

    @Test(
        "What is wrong with a delivery is said and changes nothing",
        arguments: [
            (Desk.request(.gitHub, push, signedWith: Array("guess".utf8)), HTTPStatus.unauthorized),
            (Desk.request(.gitHub, push, changing: ["X-Hub-Signature-256": nil]), .unauthorized),
            (Desk.request(.gitHub, Array("{".utf8)), .badRequest),
            (Desk.request(.gitHub, push, changing: ["X-GitHub-Event": nil]), .badRequest),
            (Desk.request(.gitHub, push, changing: ["X-GitHub-Delivery": nil]), .badRequest),
            (Desk.request(.gitHub, push, delivery: String(repeating: "x", count: 200)), .badRequest),
            (Desk.request(.gitHub, push, delivery: "a b"), .badRequest),
            (
                Desk.request(.gitHub, push, changing: ["Content-Type": "application/x-www-form-urlencoded"]),
                .unsupportedMediaType
            ),
            (Desk.request(.gitHub, push, changing: ["Content-Length": "26000000"]), .contentTooLarge),
            (Desk.request(.gitHub, push, method: .get), .methodNotAllowed),
            (Desk.request(.gitHub, push, path: "/"), .notFound),
            (Desk.request(.gitHub, push, path: "/github/"), .notFound),
            (Desk.request(.gitLab, push, signedWith: Array("guess".utf8)), .unauthorized),
            (Desk.request(.gitLab, push, changing: ["X-Gitlab-Token": nil]), .unauthorized),
            (Desk.request(.gitea, push, signedWith: Array("guess".utf8)), .unauthorized),
            (Desk.request(.git, push, signedWith: Array("guess".utf8)), .unauthorized),
        ])
    func refused(request: HTTPRequest, status: HTTPStatus) async {
        let store = MemoryStore([Desk.applied()])

        let response = await Desk(store: store).handler.handle(request)

        #expect(response.status == status)
        #expect(store.writes.isEmpty)
    }

    @Test("Without a secret of its host, and with more bodies than memory allows, a delivery is to be sent again")
    func unavailable() async {
        let store = MemoryStore([Desk.applied()])

        let answers = [
            await Desk(store: store, secrets: FixedSecrets(secrets: [.gitLab: [Desk.secret]])).handler
                .handle(Desk.request(.gitHub, Self.push)),
            await Desk(store: store, budget: 10).handler.handle(Desk.request(.gitHub, Self.push)),
            await Desk(store: store, budget: Self.push.count * 3).handler.handle(Desk.request(.gitHub, Self.push)),
        ]

        #expect(answers.map(\.status) == [.serviceUnavailable, .serviceUnavailable, .serviceUnavailable])
        #expect(answers.allSatisfy { $0.headers["Retry-After"] != nil })
        #expect(store.writes.isEmpty)
    }

    @Test("What was held of the memory is given back, however a delivery ends")
    func givesBack() async {
        let desk = Desk(store: MemoryStore([Desk.applied()]), budget: Self.push.count * 6)
        let handler = desk.handler
        for _ in 0..<5 {
            _ = await handler.handle(Desk.request(.gitHub, Self.push, signedWith: [1]))
            _ = await handler.handle(Desk.request(.gitHub, Array(repeating: 0x20, count: Self.push.count * 7)))
        }

        let response = await handler.handle(Desk.request(.gitHub, Self.push))

        #expect(response.status == .accepted)
    }

    @Test("A large body is read as well")
    func large() async throws {
        let store = MemoryStore([Desk.applied()])
        var body = Self.push
        body.insert(contentsOf: Array((#""x": ""# + String(repeating: "x", count: 1_000_000) + #"","#).utf8), at: 1)

        let response = await Desk(store: store).handler.handle(Desk.request(.gitHub, body))

        #expect(response.status == .accepted)
    }

    @Test("A person whom GitHub sends here after an installation is told what to do next")
    func setUp() async {
        let handler = Desk().handler
        func get(_ target: String) async -> HTTPResponse {
            await handler.handle(Desk.request(.gitHub, [], method: .get, path: target))
        }

        let installed = await get("/github?installation_id=1&setup_action=install")
        let others = [
            await get("/github"), await get("/gitlab?setup_action=install"),
            await get("/github?x=setup_action=install"),
        ]

        #expect(installed.status == .ok)
        #expect(installed.text.contains("stack.yml"))
        #expect(others.allSatisfy { $0.status == .methodNotAllowed })
    }

    @Test("A signed delivery of GitLab is taken")
    func standardSignature() async throws {
        let store = MemoryStore([Desk.applied(url: "https://gitlab.example.com/mike/diaspora")])
        var desk = Desk(store: store)
        desk.secrets = FixedSecrets(secrets: [.gitLab: [SignatureTests.secret]])
        let body = try Sample(host: .gitLab, name: "push").bytes()
        let signed = SignatureTests.signed(body: String(decoding: body, as: UTF8.self))
        var request = Desk.request(.gitLab, body, changing: ["X-Gitlab-Token": nil, "Idempotency-Key": nil])
        var headers = request.headers
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] { headers[name] = signed.headers[name] }
        request = HTTPRequest(
            method: .post, target: "/gitlab", headers: headers, body: HTTPRequestBody(body), remoteAddress: "192.0.2.1",
            requestID: "r")

        let response = await desk.handler.handle(request)

        #expect(response.status == .accepted)
        #expect(store.objects["hello"]?.note(FareboxAnnotation.delivery) == "msg-1")
    }
}
