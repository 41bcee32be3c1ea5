import Audit
import CRDs
import HTTP
import KubernetesTypes
import Synchronization
import Telemetry
import Testing
import Timing

@testable import Webhook

@Suite("A push")
struct PushTests {
    static func noted(_ store: MemoryStore) -> [String] {
        store.objects.filter { $0.value.note(FareboxAnnotation.requestedCommit) == Desk.commit }.keys.sorted()
    }

    @Test("It is noted on every Repository with that URL and branch")
    func noted() async throws {
        let store = MemoryStore([
            Desk.applied("hello"), Desk.applied("second", branch: "main", provider: .gitHub),
            Desk.applied("other-branch", branch: "next"), Desk.applied("other", url: "https://github.com/Alice/Hello"),
            Desk.applied("ssh", url: "git@github.com:alice/hello-world.git"),
        ])

        let response = try await Desk(store: store).post("push", delivery: "d-9")

        #expect(response.status == .accepted)
        #expect(Self.noted(store) == ["hello", "second", "ssh"])
        #expect(store.objects["hello"]?.note(FareboxAnnotation.requestedAt) == Desk.now.rfc3339(.seconds))
        #expect(store.objects["hello"]?.note(FareboxAnnotation.delivery) == "d-9")
        #expect(store.objects["hello"]?.spec == Desk.applied().spec)
    }

    @Test(
        "One that is not for a built branch, or asks to be skipped, changes nothing",
        arguments: ["push.other-branch", "push.tag", "push.branch-deleted", "push.skip-ci"])
    func ignored(sample: String) async throws {
        let store = MemoryStore([Desk.applied(), Desk.made()])

        let response = try await Desk(store: store).post(sample)

        #expect(response.status == .ok)
        #expect(store.writes.isEmpty)
    }

    @Test("The branch is compared as a whole")
    func branches() async throws {
        let store = MemoryStore([Desk.applied("a", branch: "feature/main"), Desk.applied("b", branch: "main")])

        try await Desk(store: store).post("push.other-branch")

        #expect(Self.noted(store) == ["a"])
    }

    @Test("To a repository nobody registered it is not found; GitLab is told so without a fault")
    func unknown() async throws {
        let desk = Desk()

        #expect(try await desk.post("push").status == .notFound)
        #expect(try await desk.post("push", host: .gitea).status == .notFound)
        #expect(try await desk.post("push", host: .git).status == .notFound)
        #expect(try await desk.post("push", host: .gitLab).status == .ok)
        #expect(desk.store.writes.isEmpty)
    }

    @Test("A repeated one changes nothing, at another replica and after a restart too")
    func repeated() async throws {
        let store = MemoryStore([Desk.applied()])
        let first = Desk(store: store)
        try await first.post("push", delivery: "d-1")
        let written = store.writes

        let again = [
            try await first.post("push", delivery: "d-1"), try await Desk(store: store).post("push", delivery: "d-1"),
        ]

        #expect(again.map(\.status) == [.ok, .ok])
        #expect(store.writes == written)
    }

    @Test("An old one that somebody sends again does not bring back its commit")
    func replayed() async throws {
        let store = MemoryStore([Desk.applied()])
        let newer = String(repeating: "e", count: 40)
        try await Desk(store: store).post("push", delivery: "d-1")
        try await Desk(store: store).post(
            "push", delivery: "d-2",
            replacing: [Desk.commit: newer, "1557933657": "1557939999", Desk.before: String(repeating: "1", count: 40)])

        let replay = try await Desk(store: store).post("push", delivery: "another-name")

        #expect(replay.status == .ok)
        #expect(store.objects["hello"]?.note(FareboxAnnotation.requestedCommit) == newer)
    }

    @Test("One that could not be noted is not remembered as done")
    func outOfOrder() async throws {
        let deliveries = DeliveryLog()
        let broken = MemoryStore([Desk.applied()]) { _, _ in MemoryStore.away }
        let response = try await Desk(store: broken, deliveries: deliveries).post("push")
        let store = MemoryStore([Desk.applied()])

        let again = try await Desk(store: store, deliveries: deliveries).post("push")

        #expect(response.status == .serviceUnavailable)
        #expect(response.headers["Retry-After"] != nil)
        #expect(again.status == .accepted)
    }

    @Test("Where one of two Repositories fails, the sender is asked again, and then both have it")
    func half() async throws {
        let two = [Desk.applied("a"), Desk.applied("b")]
        let store = MemoryStore(two) { verb, name in
            verb == "change" && name == "b" ? MemoryStore.away : nil
        }
        let response = try await Desk(store: store).post("push")
        let mended = MemoryStore(Array(store.objects.values))

        let again = try await Desk(store: mended).post("push")

        #expect(response.status == .serviceUnavailable)
        #expect(Self.noted(store) == ["a"])
        #expect(again.status == .accepted)
        #expect(Self.noted(mended) == ["a", "b"])
        #expect(mended.writes == ["change b"])
    }

    @Test("A host speaks only for its own Repositories")
    func hosts() async throws {
        let url = "https://github.com/Alice/Hello-World"
        let store = MemoryStore([
            Desk.applied("gitlab", url: url, provider: .gitLab), Desk.applied("gitea", url: url, provider: .gitea),
            Desk.applied("github", url: url, provider: .gitHub), Desk.applied("git", url: url, provider: .git),
        ])

        try await Desk(store: store).post(
            "push", host: .git, replacing: ["https://plain.example.com/dave/tools.git": url])

        #expect(Self.noted(store) == ["git"])
    }

    // MARK: - Who is told

    /// Keeps what the audit log tells.
    final class Ear: AuditSink {
        let name = "ear"
        let heard = Mutex<[AuditEvent]>([])

        func tell(_ event: AuditEvent, source: String) async -> String? {
            heard.withLock { $0.append(event) }
            return nil
        }
    }

    @Test("The audit log hears who did what, and who was turned away; a repetition is not told again")
    func audit() async throws {
        let ear = Ear()
        let log = AuditLog(source: "webhook", sinks: [ear], registry: MetricsRegistry())
        let store = MemoryStore([Desk.made()])
        let desk = Desk(store: store, audit: log)
        let stranger = Desk(store: store, customers: FixedCustomers(names: ""), audit: log)

        try await desk.post("push", delivery: "d-1")
        try await desk.post("push", delivery: "d-1")
        try await stranger.post("push", delivery: "d-2")
        try await desk.post("installation.suspend", delivery: "d-3")
        let running = Task { await log.run() }
        running.cancel()
        await running.value

        let heard = ear.heard.withLock { $0 }
        #expect(heard.map(\.action) == ["PushNoted", "OwnerRefused", "RepositoryChanged"])
        #expect(heard.map(\.result) == [.succeeded, .refused, .succeeded])
        #expect(heard.map(\.actor) == ["Alice", "Alice", "Alice"])
        #expect(heard.first?.object == "Repository functions/alice-hello-world")
        #expect(heard.first?.detail.contains(Desk.commit) == true)
    }

    // MARK: - Customers

    @Test("A Repository that an event made is built for customers only, one that was applied for whoever applied it")
    func customers() async throws {
        let store = MemoryStore([Desk.made(), Desk.applied()])
        let stranger = Desk(store: store, customers: FixedCustomers(names: "bob"))

        try await stranger.post("push")

        #expect(Self.noted(store) == ["hello"])
    }

    @Test("Who is no customer learns nothing of who is")
    func stranger() async throws {
        let desk = Desk(store: MemoryStore([Desk.made()]), customers: FixedCustomers(names: "bob\ncarol"))

        let response = try await desk.post("push")

        #expect(response.status == .ok)
        #expect(response.text.contains("ignored"))
        #expect(!response.text.contains("bob") && !response.text.contains("carol") && !response.text.contains("list"))
        #expect(desk.store.writes.isEmpty)
    }

    @Test("Without a readable list nobody is let in, and the host is asked again")
    func noList() async throws {
        let desk = Desk(store: MemoryStore([Desk.made()]), customers: FixedCustomers(names: nil))

        let response = try await desk.post("push")

        #expect(response.status == .serviceUnavailable)
        #expect(desk.store.writes.isEmpty)
    }

    @Test("The list is not looked at before the signature is right")
    func signatureFirst() async throws {
        let desk = Desk(store: MemoryStore([Desk.made()]), customers: FixedCustomers(names: nil))

        let response = await desk.handler.handle(
            Desk.request(.gitHub, try Sample(host: .gitHub, name: "push").bytes(), signedWith: [1]))

        #expect(response.status == .unauthorized)
    }

    // MARK: - The default branch

    @Test("A Repository that an event made follows the default branch, unless somebody chose another")
    func followsDefaultBranch() async throws {
        var chosen = Desk.made("chosen")
        chosen.spec.branch = "release"
        let store = MemoryStore([
            Desk.made("follows", branch: "master"), chosen, Desk.applied("applied", branch: "master"),
        ])

        let response = try await Desk(store: store).post("push")

        #expect(response.status == .accepted)
        #expect(store.objects["follows"]?.spec.branch == "main")
        #expect(Self.noted(store) == ["follows"])
        #expect(store.objects["chosen"]?.spec.branch == "release")
        #expect(store.objects["applied"]?.spec.branch == "master")
    }

    @Test("The environments of a Repository hear of pushes to their branches")
    func environments() async throws {
        let parent = Desk.made()
        var staging = Desk.applied("alice-hello-world-staging", branch: "feature/main", provider: .gitHub)
        let store = MemoryStore([parent])
        staging.metadata.ownerReferences = [
            OwnerReference(
                apiVersion: "farebox.dev/v1alpha1", kind: "Repository", name: parent.metadata.name,
                uid: store.objects[parent.metadata.name]?.metadata.uid ?? "", controller: true)
        ]
        store.put(staging)

        try await Desk(store: store).post("push.other-branch", delivery: "d-1")
        #expect(Self.noted(store) == ["alice-hello-world-staging"])

        let stranger = try await Desk(store: store, customers: FixedCustomers(names: "")).post(
            "push.other-branch", delivery: "d-2")
        #expect(stranger.status == .ok)
    }
}
