import Audit
import CRDs
import Cryptography
import HTTP
import JSON
import KubernetesTypes
import Telemetry
import Timing

@testable import Webhook

/// A webhook without a cluster, its parts given by the test.
struct Desk {
    var store = MemoryStore()
    var customers = FixedCustomers(names: "alice\noctocoders\nmike\nscores")
    var topics: FixedTopics? = FixedTopics(projects: [:])
    var head = FixedHead(branch: nil)
    var template = RepositoryTemplate()
    var secrets = FixedSecrets(
        secrets: Dictionary(GitHostKind.allCases.map { ($0, [Desk.secret]) }) { first, _ in first })
    var records = MemoryRecords()
    var deliveries = DeliveryLog()
    var audit: AuditLog?
    var budget = WebhookLimits.heldBytesMaximum
    var configuration: WebhookConfiguration = {
        var configuration = WebhookConfiguration()
        configuration.gitLab.url = "https://gitlab.example.com"
        return configuration
    }()

    static let secret = Array("s3cr3t".utf8)
    static let now = Timestamp(secondsSinceEpoch: 1_795_000_000)
    static let commit = "6dcb09b5b57875f334f61aebed695e2e4193db5e"
    static let before = "9f8e7d6c5b4a39281706f5e4d3c2b1a099887766"

    var handler: WebhookHandler {
        let logger = Logger(label: "test", output: LogOutput(fileDescriptor: 2, level: .error, format: .text))
        let template = template
        let intake = EventIntake(
            store: store, recorder: PushRecorder(store: store), customers: customers, topics: topics,
            topic: configuration.gitLab.topic,
            maker: RepositoryMaker(store: store, namespace: "functions", template: { template }, head: head),
            now: { Self.now }, logger: logger)
        let desk = DeliveryDesk(
            secrets: secrets, intake: intake, deliveries: deliveries, records: records,
            budget: Budget(budget), metrics: WebhookMetrics(MetricsRegistry()),
            audit: EventAudit(log: audit), now: { Self.now },
            logger: logger)
        return WebhookHandler(desk: desk, dialects: WebhookProcess.dialects(configuration))
    }

    /// Posts a payload as its host does.
    @discardableResult
    func post(_ sample: Sample, delivery: String = "d-1") async throws -> HTTPResponse {
        await handler.handle(Self.request(sample.host, try sample.bytes(), event: sample.event, delivery: delivery))
    }

    /// Posts one of GitHub's payloads, perhaps with some words replaced.
    @discardableResult
    func post(
        _ name: String, host: GitHostKind = .gitHub, delivery: String = "d-1",
        replacing words: KeyValuePairs<String, String> = [:]
    ) async throws -> HTTPResponse {
        let sample = Sample(host: host, name: name)
        var text = String(decoding: try sample.bytes(), as: UTF8.self)
        for (old, new) in words {
            text = text.split(separator: old, omittingEmptySubsequences: false).joined(separator: new)
        }
        return await handler.handle(
            Self.request(host, Array(text.utf8), event: sample.event, delivery: delivery))
    }

    /// A signed request of a host.
    static func request(
        _ host: GitHostKind, _ body: [UInt8], event: String = "push", delivery: String = "d-1",
        signedWith key: [UInt8] = secret, changing: KeyValuePairs<String, String?> = [:], method: HTTPMethod = .post,
        path: String? = nil
    ) -> HTTPRequest {
        let hex = Hex.encode(HMAC.sha256(key: key, message: body))
        var headers = HTTPHeaders([("Content-Type", "application/json"), ("Content-Length", String(body.count))])
        switch host {
        case .gitHub:
            headers["X-GitHub-Event"] = event
            headers["X-GitHub-Delivery"] = delivery
            headers["X-Hub-Signature-256"] = "sha256=" + hex
        case .gitLab:
            headers["X-Gitlab-Event"] = "System Hook"
            headers["X-Gitlab-Token"] = String(decoding: key, as: UTF8.self)
            headers["Idempotency-Key"] = delivery
        case .gitea:
            headers["X-Gitea-Event"] = event
            headers["X-Gitea-Delivery"] = delivery
            headers["X-Gitea-Signature"] = hex
        case .git:
            headers["X-Delivery"] = delivery
            headers["X-Hub-Signature-256"] = "sha256=" + hex
        }
        for (name, value) in changing { headers[name] = value }
        return HTTPRequest(
            method: method, target: path ?? host.path, headers: headers, body: HTTPRequestBody(body),
            remoteAddress: "192.0.2.1", requestID: "r-1")
    }

    // MARK: - Repositories

    /// One that somebody applied.
    static func applied(
        _ name: String = "hello", url: String = "https://github.com/Alice/Hello-World", branch: String? = nil,
        provider: GitProvider? = nil, annotations: [String: String] = [:]
    ) -> Repository {
        var spec = RepositorySpec(url: url)
        spec.branch = branch
        spec.provider = provider
        return Repository(
            metadata: ObjectMeta(name: name, namespace: "functions", annotations: annotations), spec: spec)
    }

    /// One that the webhook made.
    static func made(
        _ name: String = "alice-hello-world", url: String = "https://github.com/Alice/Hello-World.git",
        owner: String = "Alice", branch: String = "main", provider: GitProvider = .gitHub, installation: Int64? = 4242,
        annotations: [String: String] = [:]
    ) -> Repository {
        var repository = applied(name, url: url, branch: branch, provider: provider, annotations: annotations)
        repository.spec.installationID = installation
        repository.metadata.annotations[FareboxAnnotation.owner] = owner
        repository.metadata.annotations[FareboxAnnotation.createdBy] = FareboxAnnotation.createdByWebhook
        repository.metadata.annotations[FareboxAnnotation.defaultBranch] = branch
        return repository
    }
}

extension HTTPResponse {
    /// The content as text.
    var text: String {
        if case .bytes(let bytes) = body { String(decoding: bytes, as: UTF8.self) } else { "" }
    }
}

extension Repository {
    /// The value of one of our annotations.
    func note(_ name: String) -> String? { metadata.annotations[name] }
}
