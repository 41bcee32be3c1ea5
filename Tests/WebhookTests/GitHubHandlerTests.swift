import CRDs
import Cryptography
import HTTP
import JSON
import KubernetesTypes
import Synchronization
import Telemetry
import Testing
import Timing

@testable import Webhook

/// Repositories without a cluster; remembers what was noted on them, and can be out of order.
final class MemoryDirectory: RepositoryDirectory {
    struct OutOfOrder: Error {}

    private let known: [Repository]
    private let isOutOfOrder: Bool
    private let state = Mutex<[ObjectKey: PushRequest]>([:])

    init(_ known: [Repository], isOutOfOrder: Bool = false) {
        self.known = known
        self.isOutOfOrder = isOutOfOrder
    }

    var noted: [ObjectKey: PushRequest] { state.withLock { $0 } }

    func repositories(at addresses: Set<RepositoryAddress>) -> [Repository] {
        known.filter { RepositoryAddress($0.spec.url).map(addresses.contains) ?? false }
    }

    func request(_ push: PushRequest, on key: ObjectKey) async throws {
        guard !isOutOfOrder else { throw OutOfOrder() }
        state.withLock { $0[key] = push }
    }
}

struct FixedSecrets: SecretSource {
    let secrets: [[UInt8]]

    func current() -> [[UInt8]] { secrets }
}

@Suite("A delivery of GitHub")
struct GitHubHandlerTests {
    static let secret = Array("s3cr3t".utf8)
    static let commit = GitHubPushTests.commit

    static func repository(_ name: String = "hello", branch: String? = nil) -> Repository {
        var spec = RepositorySpec(url: "https://github.com/Alice/hello")
        spec.branch = branch
        return Repository(metadata: ObjectMeta(name: name, namespace: "functions"), spec: spec)
    }

    static func handler(
        _ directory: MemoryDirectory, secrets: [[UInt8]] = [secret], deliveries: DeliveryLog = DeliveryLog(),
        budget: Int = WebhookLimits.heldBytesMaximum
    ) -> WebhookHandler {
        WebhookHandler(
            github: GitHubHandler(
                secrets: FixedSecrets(secrets: secrets), directory: directory, deliveries: deliveries,
                budget: BodyBudget(bytesMaximum: budget), now: { Timestamp(rfc3339: "2026-11-20T12:00:00Z") ?? .now },
                logger: Logger(label: "test")))
    }

    static func request(
        _ body: [UInt8] = GitHubPushTests.payload(), signedWith key: [UInt8] = secret,
        changing: KeyValuePairs<String, String?> = [:],
        method: HTTPMethod = .post, path: String = "/github"
    ) -> HTTPRequest {
        var headers = HTTPHeaders([
            ("Content-Type", "application/json"), ("Content-Length", String(body.count)), ("X-GitHub-Event", "push"),
            ("X-GitHub-Delivery", "d-1"),
            ("X-Hub-Signature-256", "sha256=" + Hex.encode(HMAC.sha256(key: key, message: body))),
        ])
        for (name, value) in changing { headers[name] = value }
        return HTTPRequest(
            method: method, target: path, headers: headers, body: HTTPRequestBody(body), remoteAddress: "192.0.2.1",
            requestID: "r-1")
    }

    @Test("A signed push is noted on every Repository with that URL and branch")
    func noted() async {
        let directory = MemoryDirectory([
            Self.repository(), Self.repository("second", branch: "main"), Self.repository("other", branch: "next"),
        ])

        let response = await Self.handler(directory).handle(Self.request())

        #expect(response.status == .accepted)
        let push = PushRequest(commit: Self.commit, requestedAt: "2026-11-20T12:00:00Z", delivery: "d-1")
        #expect(
            directory.noted == [
                ObjectKey(namespace: "functions", name: "hello"): push,
                ObjectKey(namespace: "functions", name: "second"): push,
            ])
    }

    @Test(
        "What is wrong with a delivery is said and changes nothing",
        arguments: [
            (request(signedWith: Array("guess".utf8)), HTTPStatus.unauthorized),
            (request(changing: ["X-Hub-Signature-256": nil]), .unauthorized),
            (request(Array("{".utf8)), .badRequest),
            (request(changing: ["X-GitHub-Event": "issues"]), .unprocessableContent),
            (request(changing: ["X-GitHub-Event": nil]), .badRequest),
            (request(changing: ["X-GitHub-Delivery": nil]), .badRequest),
            (request(changing: ["X-GitHub-Delivery": String(repeating: "x", count: 200)]), .badRequest),
            (request(changing: ["Content-Type": "application/x-www-form-urlencoded"]), .unsupportedMediaType),
            (request(changing: ["Content-Length": "26000000"]), .contentTooLarge),
            (request(method: .get), .methodNotAllowed),
            (request(path: "/gitlab"), .notFound),
        ])
    func refused(request: HTTPRequest, status: HTTPStatus) async {
        let directory = MemoryDirectory([Self.repository()])

        let response = await Self.handler(directory).handle(request)

        #expect(response.status == status)
        #expect(directory.noted.isEmpty)
    }

    @Test(
        "A push that is not for a built branch is taken and changes nothing",
        arguments: [
            GitHubPushTests.payload(ref: "refs/heads/next"), GitHubPushTests.payload(ref: "refs/heads/feature/main"),
            GitHubPushTests.payload(ref: "refs/tags/main"), GitHubPushTests.payload(deleted: "true"),
            GitHubPushTests.payload(after: String(repeating: "0", count: 40)),
        ])
    func ignored(body: [UInt8]) async {
        let directory = MemoryDirectory([Self.repository()])

        let response = await Self.handler(directory).handle(Self.request(body))

        #expect(response.status == .ok)
        #expect(directory.noted.isEmpty)
    }

    @Test("A push to a repository nobody registered is not found")
    func unknownRepository() async {
        let directory = MemoryDirectory([])

        let response = await Self.handler(directory).handle(Self.request())

        #expect(response.status == .notFound)
    }

    @Test("A ping is answered")
    func ping() async {
        let response = await Self.handler(MemoryDirectory([])).handle(
            Self.request(Array(#"{"zen": "Speak like a human."}"#.utf8), changing: ["X-GitHub-Event": "ping"]))

        #expect(response.status == .ok)
    }

    @Test("A repeated delivery changes nothing")
    func repeated() async {
        let deliveries = DeliveryLog()
        let first = MemoryDirectory([Self.repository()])
        let second = MemoryDirectory([Self.repository()])
        _ = await Self.handler(first, deliveries: deliveries).handle(Self.request())

        let response = await Self.handler(second, deliveries: deliveries).handle(Self.request())

        #expect(response.status == .ok)
        #expect(second.noted.isEmpty)
    }

    @Test("A push that could not be noted is not remembered as done")
    func outOfOrder() async {
        let deliveries = DeliveryLog()
        let broken = MemoryDirectory([Self.repository()], isOutOfOrder: true)

        let response = await Self.handler(broken, deliveries: deliveries).handle(Self.request())

        #expect(response.status == .serviceUnavailable)
        #expect(response.headers["Retry-After"] != nil)
        #expect(!deliveries.contains("d-1"))
    }

    @Test("Without a secret, and with more bodies than memory allows, a delivery is to be sent again")
    func unavailable() async {
        let directory = MemoryDirectory([Self.repository()])

        let answers = [
            await Self.handler(directory, secrets: []).handle(Self.request()),
            await Self.handler(directory, budget: 10).handle(Self.request()),
        ]

        #expect(answers.map(\.status) == [.serviceUnavailable, .serviceUnavailable])
        #expect(directory.noted.isEmpty)
    }
}
