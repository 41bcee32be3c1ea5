import CRDs
import HTTP
import KubernetesTypes
import Synchronization
import Testing
import Timing

@testable import Webhook

@Suite("Repositories come and go with their installation")
struct InstallationTests {
    @Test("An installation makes a Repository of each of its repositories, as the template has it")
    func created() async throws {
        let template = try RepositoryTemplate(
            Array("metadata: {labels: {team: web}}\nspec: {interval: 10m, build: {timeout: 20m}}".utf8))
        let desk = Desk(head: FixedHead(branch: "trunk"), template: template)

        let response = try await desk.post("installation.created")

        #expect(response.status == .accepted)
        #expect(desk.store.objects.keys.sorted() == ["alice-hello-world", "alice-space-ship-2"])
        let made = try #require(desk.store.objects["alice-space-ship-2"])
        #expect(made.metadata.namespace == "functions")
        #expect(made.metadata.labels == ["team": "web"])
        #expect(made.note(FareboxAnnotation.owner) == "Alice")
        #expect(made.note(FareboxAnnotation.createdBy) == "webhook")
        #expect(made.note(FareboxAnnotation.defaultBranch) == "trunk")
        #expect(made.spec.url == "https://github.com/Alice/Space.ship_2.git")
        #expect(made.spec.provider == .gitHub)
        #expect(made.spec.branch == "trunk")
        #expect(made.spec.installationID == 4242)
        #expect(made.spec.interval == "10m")
        #expect(made.validate().isEmpty)
    }

    @Test("Repositories are made for customers only, and never twice")
    func customersAndRepeats() async throws {
        let desk = Desk(customers: FixedCustomers(names: "bob"))
        let stranger = try await desk.post("installation.created")
        let open = Desk(
            store: desk.store, customers: FixedCustomers(names: "*"), records: desk.records, deliveries: desk.deliveries
        )
        // The same delivery once more, as GitHub's button "Redeliver" sends it.
        try await open.post("installation.created")
        let written = desk.store.writes

        let again = try await open.post("installation.created", delivery: "d-3")

        #expect(stranger.status == .ok)
        #expect(written == ["create alice-hello-world", "create alice-space-ship-2"] || written.count == 2)
        #expect(again.status == .ok)
        #expect(desk.store.writes == written)
    }

    @Test("A repeated event does not make again what another one deleted, at another replica too")
    func replay() async throws {
        let store = MemoryStore()
        let records = MemoryRecords()
        func desk() -> Desk { Desk(store: store, records: records) }
        try await desk().post("installation_repositories.added", delivery: "d-1")
        try await desk().post("installation_repositories.removed", delivery: "d-2")

        let replayed = try await desk().post("installation_repositories.added", delivery: "d-1")
        let afterReplay = store.objects
        let anew = try await desk().post("installation_repositories.added", delivery: "d-3")

        #expect(replayed.status == .ok)
        #expect(afterReplay.isEmpty)
        #expect(anew.status == .accepted)
        #expect(store.objects.keys.sorted() == ["alice-rocket"])
    }

    @Test("Removal deletes what an event made, and holds what somebody applied; coming back lets it go on")
    func removed() async throws {
        let url = "https://github.com/alice/rocket"
        let store = MemoryStore([
            Desk.made("made", url: url), Desk.applied("applied", url: url, annotations: ["team": "x"]),
            Desk.applied("held", url: url, annotations: [FareboxAnnotation.suspended: "unpaid"]), Desk.made("other"),
        ])

        let response = try await Desk(store: store).post("installation_repositories.removed")

        #expect(response.status == .accepted)
        #expect(store.objects.keys.sorted() == ["applied", "held", "other"])
        #expect(store.objects["applied"]?.note(FareboxAnnotation.suspended)?.hasPrefix("by the Git host: ") == true)
        #expect(store.objects["applied"]?.note("team") == "x")
        #expect(store.objects["held"]?.note(FareboxAnnotation.suspended) == "unpaid")

        try await Desk(store: store).post("installation_repositories.added")

        #expect(store.objects["applied"]?.note(FareboxAnnotation.suspended) == nil)
        #expect(store.objects["held"]?.note(FareboxAnnotation.suspended) == "unpaid")
        #expect(store.objects.keys.sorted() == ["applied", "held", "other"])
    }

    @Test("An installation that is gone takes all its Repositories with it, named in the event or not")
    func uninstalled() async throws {
        let store = MemoryStore([
            Desk.made("named"), Desk.made("unnamed", url: "https://github.com/Alice/Unnamed"),
            Desk.made("elsewhere", url: "https://github.com/bob/x", installation: 1),
        ])

        try await Desk(store: store).post("installation.deleted")

        #expect(store.objects.keys.sorted() == ["elsewhere"])
    }

    @Test("A suspended installation holds its Repositories and deletes nothing; then they go on")
    func suspended() async throws {
        let store = MemoryStore([
            Desk.made(), Desk.made("elsewhere", url: "https://github.com/bob/x", installation: 1),
            Desk.made(
                "unpaid", url: "https://github.com/Alice/y", annotations: [FareboxAnnotation.suspended: "unpaid"]),
        ])
        let desk = Desk(store: store)

        try await desk.post("installation.suspend", delivery: "d-1")
        let held = store.objects.mapValues { $0.note(FareboxAnnotation.suspended) }
        let again = try await desk.post("installation.suspend", delivery: "d-2")
        try await desk.post("installation.unsuspend", delivery: "d-3")

        #expect(held["alice-hello-world"]??.contains("4242") == true)
        #expect(held["elsewhere"] == .some(nil))
        #expect(again.status == .ok)
        #expect(store.objects["alice-hello-world"]?.note(FareboxAnnotation.suspended) == nil)
        #expect(store.objects["unpaid"]?.note(FareboxAnnotation.suspended) == "unpaid")
        #expect(store.writes == ["change alice-hello-world", "change alice-hello-world"])
    }

    @Test("An installation made anew takes over what is left of the one before")
    func adopted() async throws {
        let store = MemoryStore([Desk.made(installation: 7)])

        try await Desk(store: store).post("installation.created")

        #expect(store.objects["alice-hello-world"]?.spec.installationID == 4242)
        #expect(store.objects.count == 2)
    }

    @Test("What fails is done when the event comes again, and what was done is not done twice")
    func half() async throws {
        let isBroken = Mutex(true)
        let store = MemoryStore { verb, name in
            verb == "create" && name == "alice-hello-world" && isBroken.withLock { $0 } ? MemoryStore.away : nil
        }
        let desk = Desk(store: store)
        let first = try await desk.post("installation.created")
        isBroken.withLock { $0 = false }

        let second = try await desk.post("installation.created")

        #expect(first.status == .serviceUnavailable)
        #expect(second.status == .accepted)
        #expect(store.writes == ["create alice-space-ship-2", "create alice-hello-world"])
    }

    @Test("What the cluster refuses for good is told and does not hold up the rest")
    func invalid() async throws {
        let store = MemoryStore { verb, name in
            verb == "create" && name == "alice-hello-world" ? MemoryStore.status(.invalid, 422) : nil
        }

        let response = try await Desk(store: store).post("installation.created")

        #expect(response.status == .accepted)
        #expect(response.text.contains("refused"))
        #expect(store.writes == ["create alice-space-ship-2"])
    }

    // MARK: - Names

    @Test("Two repositories whose names come to the same get Repositories of their own")
    func names() async throws {
        let store = MemoryStore()
        let desk = Desk(store: store, customers: FixedCustomers(names: "*"))

        try await desk.post(
            "installation_repositories.added", delivery: "1", replacing: ["Alice/Rocket": "alex-ellis/fn"])
        try await desk.post(
            "installation_repositories.added", delivery: "2", replacing: ["Alice/Rocket": "alex/ellis-fn"])
        try await desk.post(
            "installation_repositories.added", delivery: "3", replacing: ["Alice/Rocket": "alex/ellis-fn"])

        let owners = store.objects.mapValues { $0.note(FareboxAnnotation.owner) ?? "" }
        let long = RepositoryName.long(
            owner: "alex", address: try #require(RepositoryAddress("https://github.com/alex/ellis-fn")))
        #expect(owners == ["alex-ellis-fn": "alex-ellis", long: "alex"])
        #expect(long.hasPrefix("alex-ellis-fn-") && long.count == 20)
    }

    @Test("A Repository on its way out does not stand in the way of the next")
    func terminating() async throws {
        let store = MemoryStore()
        var old = Desk.made("alice-rocket", url: "https://github.com/Alice/Rocket.git")
        old.metadata.deletionTimestamp = Time(try #require(Timestamp(rfc3339: "2026-11-20T12:00:00Z")))
        store.put(old)

        try await Desk(store: store).post("installation_repositories.added")

        #expect(store.objects.count == 2)
    }

    @Test(
        "A name is a DNS label, whatever the repository is called",
        arguments: [
            ("Alice", "https://h/Alice/Hello_World.js", "alice-hello-world-js"), ("-a-", "https://h/-a-/-b-", "a---b"),
            ("ü", "https://h/%C3%BC/x", "x"), ("…", "https://h/a/...", "repository"),
            (String(repeating: "o", count: 39), "https://h/o/" + String(repeating: "r", count: 100), nil),
        ])
    func labels(owner: String, url: String, short: String?) throws {
        let address = try #require(RepositoryAddress(url))

        let names = [
            RepositoryName.short(owner: owner, address: address), RepositoryName.long(owner: owner, address: address),
        ]

        #expect(names.allSatisfy { DNSName.isLabel($0) }, "\(names)")
        if let short { #expect(names[0] == short) }
    }

    // MARK: - Changes at the host

    @Test("A renamed or transferred repository keeps its Repository, under its URL and owner of now")
    func moved() async throws {
        let store = MemoryStore([Desk.made(), Desk.applied("applied")])
        let desk = Desk(store: store)

        let renamed = try await desk.post("repository.renamed", delivery: "d-1")
        #expect(renamed.status == .accepted)
        #expect(store.objects["alice-hello-world"]?.spec.url == "https://github.com/Alice/Hello-Universe.git")
        #expect(store.objects["applied"]?.spec.url == Desk.applied().spec.url)
        let again = try await desk.post("repository.renamed", delivery: "d-2")
        #expect(again.status == .ok)

        let transferred = MemoryStore([Desk.made()])
        try await Desk(store: transferred).post("repository.transferred")
        #expect(transferred.objects["alice-hello-world"]?.spec.url == "https://github.com/Octocoders/Hello-World.git")
        #expect(transferred.objects["alice-hello-world"]?.note(FareboxAnnotation.owner) == "Octocoders")
    }

    @Test(
        "A repository that goes to somebody who is no customer, or to a place that is taken, takes its Repository along"
    )
    func movedAway() async throws {
        let stranger = Desk(store: MemoryStore([Desk.made()]), customers: FixedCustomers(names: "alice"))
        let taken = Desk(
            store: MemoryStore([
                Desk.made(),
                Desk.made("new", url: "https://github.com/Octocoders/Hello-World.git", owner: "Octocoders"),
            ]))

        try await stranger.post("repository.transferred")
        try await taken.post("repository.transferred")

        #expect(stranger.store.objects.isEmpty)
        #expect(taken.store.objects.keys.sorted() == ["new"])
    }

    @Test("A deleted repository takes its Repository along; another default branch is followed")
    func deletedAndEdited() async throws {
        let store = MemoryStore([Desk.made()])
        let desk = Desk(store: store)

        try await desk.post("repository.edited.default-branch", delivery: "d-1")
        let branch = store.objects["alice-hello-world"]?.spec.branch
        try await desk.post("repository.deleted", delivery: "d-2")

        #expect(branch == "trunk")
        #expect(store.objects.isEmpty)
    }

    // MARK: - GitLab's topics

    static func project(_ topics: [String], branch: String = "main", path: String? = nil) -> GitLabProject {
        GitLabProject(topics: topics, defaultBranch: branch, path: path)
    }

    @Test("GitLab's own word goes before the event's, also on which project it is")
    func topicsOfOthers() async throws {
        let store = MemoryStore()
        func desk(_ project: GitLabProject?) -> Desk {
            Desk(store: store, topics: FixedTopics(projects: project.map { [15: $0, 17: $0] } ?? [:]))
        }

        let lies = try await desk(Self.project([])).post("push.with-topics", host: .gitLab)
        let another = try await desk(Self.project(["farebox"], path: "mallory/own")).post("push", host: .gitLab)
        let none = try await desk(nil).post("push.with-topics", host: .gitLab)
        let own = try await desk(Self.project(["farebox"], path: "mike/diaspora")).post("push", host: .gitLab)

        #expect([lies, another, none, own].map(\.status) == [.ok, .ok, .ok, .accepted])
        #expect(store.objects.keys.sorted() == ["mike-diaspora"])
    }

    @Test("A GitLab project with the topic is made a Repository by its next push, one without is not")
    func topics() async throws {
        let store = MemoryStore()
        let desk = Desk(
            store: store,
            topics: FixedTopics(projects: [
                15: Self.project(["FareBox"]), 16: Self.project([]), 17: Self.project(["farebox"]),
            ]))

        let installed = try await desk.post("push", host: .gitLab, delivery: "1")
        let without = try await desk.post("push.subgroup", host: .gitLab, delivery: "2")
        let told = try await desk.post("push.with-topics", host: .gitLab, delivery: "3")

        #expect([installed, without, told].map(\.status) == [.accepted, .ok, .accepted])
        #expect(store.objects.keys.sorted() == ["mike-diaspora", "mike-topical"])
        let made = try #require(store.objects["mike-diaspora"])
        #expect(made.spec.provider == .gitLab)
        #expect(made.spec.projectID == 15)
        #expect(made.note(FareboxAnnotation.owner) == "mike")
        #expect(without.text.contains("farebox"))
    }

    @Test(
        "A project that gets the topic is made a Repository, one that loses it or is gone loses it; an applied one stays"
    )
    func projectUpdate() async throws {
        let store = MemoryStore()
        func desk(_ projects: [Int64: GitLabProject]) -> Desk {
            Desk(store: store, topics: FixedTopics(projects: projects))
        }
        try await desk([15: Self.project(["farebox"], branch: "trunk")]).post(
            "project_update", host: .gitLab, delivery: "1")
        let made = store.objects["mike-diaspora"]
        store.put(Desk.applied("applied", url: "https://gitlab.example.com/mike/diaspora"))
        try await desk([15: Self.project(["farebox"], branch: "next")]).post(
            "project_update", host: .gitLab, delivery: "2")
        let branch = store.objects["mike-diaspora"]?.spec.branch

        try await desk([:]).post("project_update", host: .gitLab, delivery: "3")

        #expect(made?.spec.branch == "trunk")
        #expect(branch == "next")
        #expect(store.objects.keys.sorted() == ["applied"])
        #expect(store.objects["applied"]?.note(FareboxAnnotation.suspended) == nil)
    }

    @Test("A renamed, transferred or deleted project is followed")
    func projectMoves() async throws {
        func store() -> MemoryStore {
            MemoryStore([
                Desk.made(
                    "m", url: "https://gitlab.example.com/mike/diaspora.git", owner: "mike", provider: .gitLab,
                    installation: nil)
            ])
        }
        let (renamed, transferred, deleted) = (store(), store(), store())

        try await Desk(store: renamed).post("project_rename", host: .gitLab)
        try await Desk(store: transferred).post("project_transfer", host: .gitLab)
        try await Desk(store: deleted).post("project_destroy", host: .gitLab)

        #expect(renamed.objects["m"]?.spec.url == "https://gitlab.example.com/mike/diaspora-2.git")
        #expect(transferred.objects["m"]?.note(FareboxAnnotation.owner) == "scores")
        #expect(deleted.objects.isEmpty)
    }

    @Test("Where GitLab does not answer the event is welcome again; where nobody named it, it is ignored")
    func topicsAway() async throws {
        let away = try await Desk(topics: FixedTopics(projects: nil)).post("project_update", host: .gitLab)
        let unnamed = try await Desk(topics: nil).post("project_update", host: .gitLab)
        let push = try await Desk(topics: nil).post("push", host: .gitLab)

        #expect([away, unnamed, push].map(\.status) == [.serviceUnavailable, .ok, .ok])
    }

    @Test("A deleted repository of Gitea and of a plain server takes its Repository along")
    func otherHosts() async throws {
        let store = MemoryStore([
            Desk.made("a", url: "https://git.example.com/carol/quiet", provider: .gitea),
            Desk.made("b", url: "https://plain.example.com/dave/tools", provider: .git),
        ])

        try await Desk(store: store).post("repository.deleted", host: .gitea)
        try await Desk(store: store).post("deleted", host: .git)

        #expect(store.objects.isEmpty)
    }
}
