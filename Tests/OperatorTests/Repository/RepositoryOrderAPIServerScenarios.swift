import Builds
import CRDs
import ControllerRuntime
import JSON
import KubernetesClient
import KubernetesTypes
import Testing

@testable import Operator

/// Whose turn it is, what is switched off, and which branch goes where.
@Suite("The order that the Repository controller keeps", .timeLimit(.minutes(10)))
struct RepositoryOrderAPIServerScenarios {
    private let one = Workshop.commit("1")
    private let two = Workshop.commit("2")

    @Test("With room for one build at a time all are built, one after the other", arguments: Backend.available)
    func oneAtATime(backend: Backend) async throws {
        let shop = try await Workshop(on: backend, buildsMaximum: 1)
        shop.source.put(one, ["a": "1", "b": "2", "c": "3"])
        try await shop.makeRepository(pushed: one)
        let waiting = try await shop.eventually {
            $0.status?.functions.filter { $0.reason == "Queued" }.count == 2
        }
        #expect(waiting.status?.functions.filter { $0.state == .building }.count == 1)

        try await shop.eventually("all three run") {
            #expect(try await shop.unfinishedBuilds() <= 1)
            try await shop.playWhatIsThere()
            return try await shop.get(Repository.self, "shop")?.runs(one) == true
        }

        #expect(try await shop.jobs().keys.sorted() == ["a#1", "b#1", "c#1"])
        try await shop.end()
    }

    @Test(
        "A commit whose message asks not to be built is left alone, and the next one is built",
        arguments: Backend.available)
    func skippedCommit(backend: Backend) async throws {
        let shop = try await Workshop(on: backend)
        let three = Workshop.commit("3")
        shop.source.put(one, ["cart": "a"])
        try await shop.makeRepository()
        try await shop.playAll(["cart"], commit: one)
        try await shop.eventually { $0.runs(one) }
        shop.source.put(two, ["cart": "b"])
        shop.source.skip(two)

        try await shop.annotate([FareboxAnnotation.reconcileRequestedAt: "now"])
        let skipped = try await shop.eventually { $0.condition("Ready")?.reason == "Skipped" }
        shop.source.put(three, ["cart": "c"])
        try await shop.annotate([FareboxAnnotation.reconcileRequestedAt: "later"])
        try await shop.playAll(["cart"], commit: three)

        let ready = try await shop.eventually { $0.runs(three) }
        #expect(skipped.condition("Ready")?.status == .true)
        #expect(skipped.status?.deployedCommit == one && skipped.status?.observedCommit == two)
        #expect(skipped.function("cart")?.commit == one)
        #expect(ready.status?.history.map(\.result) == [.deployed, .skipped, .deployed])
        try await shop.end()
    }

    @Test(
        "A Repository that the Git host suspended refuses calls, keeps its functions, and goes on afterwards",
        arguments: Backend.available)
    func suspendedByHost(backend: Backend) async throws {
        let shop = try await Workshop(on: backend)
        shop.source.put(one, ["cart": "a"])
        shop.source.put(two, ["cart": "b"])
        try await shop.makeRepository(pushed: one)
        try await shop.playAll(["cart"], commit: one)
        try await shop.eventually { $0.runs(one) }

        try await shop.annotate([FareboxAnnotation.suspended: "the installation 7 is suspended"])
        let suspended = try await shop.eventually { $0.condition("Ready")?.reason == "Suspended" }
        try await shop.push(two)

        #expect(suspended.condition("Ready")?.status == .false)
        #expect(suspended.condition("Ready")?.message.contains("installation 7") == true)
        #expect(try await shop.get(Function.self, "alice-cart")?.spec.suspend == true)
        try await shop.patch(
            Repository.self, "shop", ["metadata": ["annotations": [FareboxAnnotation.suspended: .null]]])
        try await shop.playBuild(of: "cart", commit: two)
        try await shop.playFunctions(["cart"], commit: two)
        try await shop.eventually { $0.runs(two) }
        #expect(try await shop.get(Function.self, "alice-cart")?.spec.suspend != true)
        try await shop.end()
    }

    @Test("A function that its author switched off stays off", arguments: Backend.available)
    func switchedOffByHand(backend: Backend) async throws {
        let shop = try await Workshop(on: backend)
        shop.source.put(one, ["cart": "a"])
        shop.source.put(two, ["cart": "b"])
        try await shop.makeRepository(pushed: one)
        try await shop.playAll(["cart"], commit: one)
        try await shop.eventually { $0.runs(one) }

        try await shop.patch(Function.self, "alice-cart", ["spec": ["suspend": true]])
        try await shop.push(two)
        try await shop.playAll(["cart"], commit: two)
        try await shop.eventually { $0.runs(two) }

        #expect(try await shop.get(Function.self, "alice-cart")?.spec.suspend == true)
        try await shop.end()
    }

    @Test("What calls cost is said once for all functions of a Repository", arguments: Backend.available)
    func payment(backend: Backend) async throws {
        let shop = try await Workshop(on: backend)
        shop.source.put(one, ["cart": "a", "till": "b"])
        try await shop.makeRepository(pushed: one)
        try await shop.playAll(["cart", "till"], commit: one)
        try await shop.eventually { $0.runs(one) }
        let terms: JSONValue = [
            "required": true, "bonusCalls": 5,
            "price": ["amount": 10, "assetCode": "XRP", "assetScale": 9, "calls": 1000],
        ]

        try await shop.patch(Repository.self, "shop", ["spec": ["payment": terms]])

        for name in ["alice-cart", "alice-till"] {
            try await shop.eventually("\(name) has its price") {
                try await shop.get(Function.self, name)?.spec.payment?.price?.calls == 1000
            }
            #expect(try await shop.get(Function.self, name)?.spec.payment?.required == true)
        }
        try await shop.end()
    }

    @Test(
        "Each further branch is an environment of its own, and goes when it leaves the list",
        arguments: Backend.available)
    func branches(backend: Backend) async throws {
        let shop = try await Workshop(on: backend)
        shop.source.put(one, ["cart": "a"])
        shop.source.put(two, ["cart": "b"])
        try await shop.makeRepository(pushed: one)
        try await shop.playAll(["cart"], commit: one)
        try await shop.eventually { $0.runs(one) }

        try await shop.patch(
            Repository.self, "shop",
            ["spec": ["branches": [["name": "next", "nameSuffix": "staging"]]]])
        try await shop.eventually("the environment") { try await shop.get(Repository.self, "shop-staging") != nil }
        try await shop.push(two, to: "shop-staging")
        try await shop.playBuild(of: "cart", in: "shop-staging", commit: two)
        try await shop.playFunctions(["cart-staging"], commit: two)

        let staging = try await shop.eventually("shop-staging") { $0.runs(two) }
        #expect(staging.spec.branch == "next")
        let function = try #require(try await shop.get(Function.self, "alice-cart-staging"))
        #expect(function.identity?.function == "cart-staging")
        #expect(try await shop.get(Function.self, "alice-cart")?.spec.source?.commit == one)
        try await shop.patch(Repository.self, "shop", ["spec": ["branches": .null]])
        try await shop.eventually("the environment is gone") {
            try await shop.functionNames() == ["alice-cart"]
        }
        try await shop.end()
    }

    @Test(
        "Pushes that were overtaken before anybody looked at them are told as superseded", arguments: Backend.available)
    func overtakenPushes(backend: Backend) async throws {
        let shop = try await Workshop(on: backend)
        let (three, four) = (Workshop.commit("3"), Workshop.commit("4"))
        shop.source.put(one, ["cart": "a"])
        shop.source.put(four, ["cart": "b"])
        try await shop.makeRepository(pushed: one)
        try await shop.playAll(["cart"], commit: one)
        try await shop.eventually { $0.runs(one) }

        let pushes = [four, three, two, one].map { "\($0) - - d-\($0.prefix(1))" }.joined(separator: "\n")
        try await shop.push(four, with: [FareboxAnnotation.pushes: pushes])
        try await shop.playAll(["cart"], commit: four)

        let ready = try await shop.eventually { $0.runs(four) }
        #expect(ready.status?.history.map(\.commit) == [four, three, two, one])
        #expect(ready.status?.history.map(\.result) == [.deployed, .superseded, .superseded, .deployed])
        try await shop.end()
    }

    @Test(
        "Images beyond those kept are removed from the registry, and those that run are not",
        arguments: Backend.available)
    func retiredImages(backend: Backend) async throws {
        let shop = try await Workshop(on: backend, keepsImages: 0)
        shop.source.put(one, ["cart": "a", "till": "b"])
        shop.source.put(two, ["cart": "a"])
        try await shop.makeRepository(pushed: one)
        try await shop.playBuild(of: "cart", commit: one)
        try await shop.playBuild(of: "till", commit: one, digest: Workshop.otherDigest)
        try await shop.playFunctions(["cart", "till"], commit: one)
        try await shop.eventually { $0.runs(one) }

        try await shop.push(two)
        try await shop.playFunctions(["cart"], commit: two)
        try await shop.eventually { $0.runs(two) && $0.status?.retiredImages.isEmpty == true }

        // A status that was written from an older one has it removed once more, which does no harm.
        #expect(Set(shop.registry.removed) == ["alice/shop-till@\(Workshop.otherDigest)"])
        #expect(try await shop.functionNames() == ["alice-cart"])
        try await shop.end()
    }

    @Test("A branch whose environment would take another Repository's name is told")
    func branchNameTaken() async throws {
        let shop = try await Workshop(on: .memory)
        shop.source.put(one, ["cart": "a"])
        try await shop.makeRepository("shop-staging")
        try await shop.makeRepository(pushed: one)

        try await shop.patch(
            Repository.self, "shop", ["spec": ["branches": [["name": "next", "nameSuffix": "staging"]]]])

        let told = try await shop.eventually { $0.stalledReason == "NameTaken" }
        #expect(told.condition("Stalled")?.message.contains("shop-staging") == true)
        #expect(try await shop.get(Repository.self, "shop-staging")?.spec.branch == "main")
        try await shop.end()
    }
}
