import CRDs
import ControllerRuntime
import HTTP
import JSON
import KubernetesClient
import KubernetesTypes
import MemoryCluster
import Telemetry
import Testing

@testable import Webhook

/// The webhook on the kube-apiserver of `FAREBOX_TEST_KUBECONFIG`, in a namespace of the test's own.
private final class Cluster: Sendable {
    static let isGiven = ConditionTrait.enabled(if: APIServer.kubeconfig != nil, Comment(rawValue: APIServer.remedy))

    let api: Client
    let namespace: String
    let store: ClusterRepositories
    private let informer: Informer<Repository>
    private let running: Task<Void, Never>

    init() async throws {
        let api = try await APIServer.client
        let namespace = "webhook-test-\(UInt32.random(in: 0 ... .max))"
        _ = try await api.create(Namespace(metadata: ObjectMeta(name: namespace)))
        let informer = Informer<Repository>(api: api, scope: InformerScope(namespace: namespace))
        self.api = api
        self.namespace = namespace
        self.informer = informer
        store = ClusterRepositories(api: api, informer: informer)
        running = Task { await informer.run() }
        try await informer.waitForSync()
    }

    func end() async throws {
        running.cancel()
        try await api.delete(Namespace.self, ObjectKey(name: namespace))
    }

    /// The webhook as one replica has it: its memory is its own, the cluster is shared.
    func replica() -> WebhookHandler {
        let logger = Logger(label: "test")
        let intake = EventIntake(
            store: store, recorder: PushRecorder(store: store), customers: FixedCustomers(names: "alice\noctocoders"),
            topics: nil, topic: "farebox",
            maker: RepositoryMaker(
                store: store, namespace: namespace,
                template: { () throws(RepositoryTemplate.Refusal) in
                    try RepositoryTemplate(Array("spec: {suspend: true}".utf8))
                },
                head: FixedHead(branch: nil)),
            now: { Desk.now }, logger: logger)
        let desk = DeliveryDesk(
            secrets: FixedSecrets(secrets: [.gitHub: [Desk.secret]]), intake: intake, deliveries: DeliveryLog(),
            records: ClusterDeliveries(api: api, namespace: namespace),
            budget: Budget(WebhookLimits.heldBytesMaximum),
            metrics: WebhookMetrics(MetricsRegistry()), audit: EventAudit(log: nil), now: { Desk.now }, logger: logger)
        return WebhookHandler(desk: desk, dialects: WebhookProcess.dialects(WebhookConfiguration()))
    }

    @discardableResult
    func post(_ name: String, delivery: String, to handler: WebhookHandler? = nil) async throws -> HTTPStatus {
        let sample = Sample(host: .gitHub, name: name)
        return await (handler ?? replica()).handle(
            Desk.request(.gitHub, try sample.bytes(), event: sample.event, delivery: delivery)
        ).status
    }

    /// The Repositories by name.
    func repositories() async throws -> [String: Repository] {
        let list = try await api.list(Repository.self, namespace: namespace).items
        return Dictionary(list.map { ($0.metadata.name, $0) }) { first, _ in first }
    }

    /// Waits until the informer holds what the server does.
    func caughtUp() async throws {
        let end = ContinuousClock.now + .seconds(120)
        while try await repositories()
            != Dictionary(informer.list().map { ($0.metadata.name, $0) }, uniquingKeysWith: { a, _ in a })
        {
            try #require(ContinuousClock.now < end, "the informer falls behind")
            try await ContinuousClock().sleep(for: .milliseconds(20))
        }
    }
}

@Suite("The webhook on an API server", Cluster.isGiven)
struct WebhookAPIServerTests {
    @Test("An installation's life: made, pushed to, held, let go on, renamed, and gone")
    func life() async throws {
        let cluster = try await Cluster()

        #expect(try await cluster.post("installation.created", delivery: "1") == .accepted)
        try await cluster.caughtUp()
        let made = try #require(try await cluster.repositories()["alice-hello-world"])
        #expect(made.spec.suspend == true)
        #expect(made.spec.branch == "main")
        #expect(made.spec.installationID == 4242)

        #expect(try await cluster.post("push", delivery: "2") == .accepted)
        try await cluster.caughtUp()
        #expect(
            try await cluster.repositories()["alice-hello-world"]?.note(FareboxAnnotation.requestedCommit)
                == Desk.commit)

        #expect(try await cluster.post("installation.suspend", delivery: "3") == .accepted)
        try await cluster.caughtUp()
        #expect(try await cluster.repositories().values.allSatisfy { $0.note(FareboxAnnotation.suspended) != nil })

        #expect(try await cluster.post("installation.unsuspend", delivery: "4") == .accepted)
        try await cluster.caughtUp()
        #expect(try await cluster.repositories().values.allSatisfy { $0.note(FareboxAnnotation.suspended) == nil })

        #expect(try await cluster.post("repository.renamed", delivery: "5") == .accepted)
        try await cluster.caughtUp()
        #expect(
            try await cluster.repositories()["alice-hello-world"]?.spec.url
                == "https://github.com/Alice/Hello-Universe.git")

        #expect(try await cluster.post("installation.deleted", delivery: "6") == .accepted)
        #expect(try await cluster.repositories().isEmpty)
        try await cluster.end()
    }

    @Test("A delivery that another replica took changes nothing, also when it would make again what was deleted since")
    func replicas() async throws {
        let cluster = try await Cluster()
        try await cluster.post("installation_repositories.added", delivery: "1")
        try await cluster.caughtUp()
        try await cluster.post("installation_repositories.removed", delivery: "2")
        try await cluster.caughtUp()

        let again = try await cluster.post("installation_repositories.added", delivery: "1")

        #expect(again == .ok)
        #expect(try await cluster.repositories().isEmpty)
        try await cluster.end()
    }

    @Test("Two replicas that make the same Repository at once make one, and pushes at both leave the newest")
    func race() async throws {
        let cluster = try await Cluster()
        let replicas = [cluster.replica(), cluster.replica()]
        let made = try await withThrowingTaskGroup(of: HTTPStatus.self) { group in
            for number in 0..<8 {
                group.addTask {
                    try await cluster.post("installation.created", delivery: "i-\(number)", to: replicas[number % 2])
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(made.allSatisfy { $0 == .accepted || $0 == .ok })
        #expect(try await cluster.repositories().keys.sorted() == ["alice-hello-world", "alice-space-ship-2"])
        try await cluster.caughtUp()
        let known = try #require(
            cluster.store.repositories(
                at: Set([RepositoryAddress("https://github.com/Alice/Hello-World")].compactMap { $0 })
            ).first)
        let recorders = [PushRecorder(store: cluster.store), PushRecorder(store: cluster.store)]

        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<40 {
                group.addTask {
                    let commit = String(repeating: "0", count: 37) + String(100 + number)
                    _ = try await recorders[number % 2].record(
                        PushHistoryTests.push(commit, at: Int64(1000 + number), delivery: "p-\(number)"), on: known)
                }
            }
            try await group.waitForAll()
        }

        let noted = try await cluster.repositories()["alice-hello-world"]
        #expect(noted?.note(FareboxAnnotation.requestedCommit)?.hasSuffix("139") == true)
        try await cluster.end()
    }

    @Test("A namespace that is not there is told, and the event is welcome again")
    func noNamespace() async throws {
        let cluster = try await Cluster()
        let maker = RepositoryMaker(
            store: cluster.store, namespace: "absent-\(cluster.namespace)",
            template: { RepositoryTemplate() }, head: FixedHead(branch: nil))
        let remote = RemoteRepository(urls: ["https://h/a/b"], owner: "a")

        await #expect(throws: KubernetesError.self) {
            try await maker.make(remote, host: .gitHub, patience: .now)
        }

        try await cluster.end()
    }
}
