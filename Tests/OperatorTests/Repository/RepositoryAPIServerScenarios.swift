import Builds
import CRDs
import ControllerRuntime
import HTTP
import JSON
import KubernetesClient
import KubernetesTypes
import MemoryCluster
import Testing

@testable import Operator

@Suite("The Repository controller", .timeLimit(.minutes(10)))
struct RepositoryAPIServerScenarios {
    private let one = Workshop.commit("1")
    private let two = Workshop.commit("2")
    private let three = Workshop.commit("3")

    @Test("A push becomes builds, then Functions pinned by digest, then Ready", arguments: Backend.available)
    func pushToReady(backend: Backend) async throws {
        let shop = try await Workshop(on: backend)
        shop.source.put(one, ["cart": "a", "till": "b"])
        let repository = try await shop.makeRepository(pushed: one)

        try await shop.playAll(["cart", "till"], commit: one)

        let ready = try await shop.eventually { $0.runs(one) }
        let cart = try #require(try await shop.get(Function.self, "alice-cart"))
        #expect(cart.spec.image == "\(shop.registry.name)/alice/shop-cart@\(Workshop.digest)")
        #expect(cart.spec.source?.repository == "shop")
        #expect(cart.metadata.controllerReference?.uid == repository.metadata.uid)
        #expect(cart.identity?.owner.display == "alice")
        #expect(ready.status?.functionCount == 2)
        #expect(ready.status?.functions.map(\.state) == [.deployed, .deployed])
        #expect(ready.status?.history.map(\.result) == [.deployed])
        #expect(ready.condition("Reconciling") == nil)
        for type in ["SourceFetched", "Built", "Deployed"] { #expect(ready.condition(type)?.status == .true) }
        try await shop.end()
    }

    @Test("A branch is found by looking, and a newer head is deployed without any push", arguments: Backend.available)
    func polling(backend: Backend) async throws {
        let shop = try await Workshop(on: backend)
        shop.source.put(one, ["cart": "a"])
        try await shop.makeRepository(interval: "10s")
        try await shop.playAll(["cart"], commit: one)
        try await shop.eventually { $0.runs(one) }
        shop.source.put(two, ["cart": "b"])

        try await shop.annotate([FareboxAnnotation.reconcileRequestedAt: "now"])

        try await shop.playAll(["cart"], commit: two)
        let ready = try await shop.eventually { $0.runs(two) }
        #expect(ready.status?.history.map(\.commit) == [two, one])
        try await shop.end()
    }

    @Test("Only functions whose inputs changed are built again", arguments: Backend.available)
    func pathFilter(backend: Backend) async throws {
        let shop = try await Workshop(on: backend)
        shop.source.put(one, ["cart": "a", "till": "b"])
        try await shop.makeRepository(pushed: one)
        try await shop.playAll(["cart", "till"], commit: one)
        try await shop.eventually { $0.runs(one) }
        shop.source.put(two, ["cart": "a", "till": "changed"])

        try await shop.push(two)
        try await shop.playBuild(of: "till", commit: two)
        try await shop.playFunctions(["cart", "till"], commit: two)
        try await shop.eventually { $0.runs(two) }

        try await shop.eventually("the older build goes once its log is stored") {
            try await shop.api.list(Job.self, namespace: shop.buildsNamespace).items.count == 2
        }
        let jobs = try await shop.jobs()
        #expect(jobs["cart#1"]?.metadata.annotations[BuildJob.commitAnnotation] == one)
        #expect(jobs["till#1"]?.metadata.annotations[BuildJob.commitAnnotation] == two)
        #expect(jobs.count == 2, "the newest finished Job of each function stays, for its log")
        try await shop.end()
    }

    @Test("A failed build leaves what runs, and says why with the end of the log", arguments: Backend.available)
    func failedBuild(backend: Backend) async throws {
        let shop = try await Workshop(on: backend)
        shop.source.put(one, ["cart": "a", "till": "b"])
        try await shop.makeRepository(pushed: one)
        try await shop.playAll(["cart", "till"], commit: one)
        try await shop.eventually { $0.runs(one) }
        let image = try await shop.get(Function.self, "alice-cart")?.spec.image
        shop.source.put(two, ["cart": "broken", "till": "c"])

        try await shop.push(two)
        let log = "#7 boom\nERROR: process \"/bin/sh -c make\" did not complete successfully: exit code: 7"
        try await shop.playBuild(
            of: "cart", commit: two, phase: "Failed",
            terminated: ContainerStateTerminated(exitCode: 1, reason: "Error", message: log))
        try await shop.playBuild(of: "till", commit: two)
        try await shop.playFunctions(["till"], commit: two)

        let stalled = try await shop.eventually {
            $0.stalledReason == "StepFailed" && $0.function("till")?.state == .deployed
        }
        let cart = try #require(stalled.function("cart"))
        #expect(cart.state == .failed)
        #expect(cart.message?.contains("exit code: 7") == true)
        #expect(cart.message?.contains("#7 boom") == true)
        #expect(try await shop.get(Function.self, "alice-cart")?.spec.image == image)
        #expect(stalled.status?.deployedCommit == one)
        #expect(stalled.status?.history.first?.result == .failed)
        try await shop.logsAreStored()
        let before = shop.controllerAPI.requests.count
        try await shop.annotate(["unrelated": "1"])
        // The queue works in order: once a later Repository is dealt with, so is that change.
        try await shop.makeRepository("canary", owner: "bob", pushed: one)
        try await shop.playAll(["cart", "till"], commit: one, in: "canary", owner: "bob")
        try await shop.eventually("canary") { $0.runs(one) }
        let sent = shop.controllerAPI.requests.dropFirst(before).filter { $0.contains("/shop") || $0.contains("alice") }
        #expect(sent == [])
        #expect(try await shop.jobs().count == 2)
        try await shop.end()
    }

    @Test("Functions that left the stack go after all of the stack run, and not before", arguments: Backend.available)
    func garbage(backend: Backend) async throws {
        let shop = try await Workshop(on: backend)
        shop.source.put(one, ["cart": "a", "old": "b"])
        try await shop.makeRepository(pushed: one)
        try await shop.playAll(["cart", "old"], commit: one)
        try await shop.eventually { $0.runs(one) }
        shop.source.put(two, ["cart": "c"])

        try await shop.push(two)
        try await shop.playBuild(of: "cart", commit: two)
        try await shop.eventually { $0.condition("Ready")?.reason == "Deploying" }
        #expect(try await shop.functionNames() == ["alice-cart", "alice-old"])
        try await shop.playFunctions(["cart"], commit: two)

        try await shop.eventually("only cart is left") { try await shop.functionNames() == ["alice-cart"] }
        try await shop.eventually { $0.runs(two) }
        try await shop.end()
    }

    @Test("A newer commit takes the place of one that is being built", arguments: Backend.available)
    func supersede(backend: Backend) async throws {
        let shop = try await Workshop(on: backend)
        shop.source.put(one, ["cart": "a"])
        try await shop.makeRepository(pushed: one)
        try await shop.eventually("the first build") { try await shop.jobs()["cart#1"] != nil }
        shop.source.put(two, ["cart": "b"])

        try await shop.push(two)
        try await shop.playAll(["cart"], commit: two)

        let ready = try await shop.eventually { $0.runs(two) }
        #expect(ready.status?.history.map(\.result) == [.deployed, .superseded])
        #expect(ready.status?.history.map(\.commit) == [two, one])
        let jobs = try await shop.api.list(Job.self, namespace: shop.buildsNamespace).items
        #expect(jobs.map { $0.metadata.annotations[BuildJob.commitAnnotation] } == [two])
        try await shop.end()
    }

    @Test(
        "A commit or branch that does not exist changes nothing and is told", arguments: Backend.available,
        [RepositoryReason.gitRevisionNotFound, .gitBranchNotFound, .stackInvalid, .runtimeUnknown])
    func nothingToBuild(backend: Backend, reason: RepositoryReason) async throws {
        let shop = try await Workshop(on: backend)
        shop.source.put(one, ["cart": "a"])
        try await shop.makeRepository(pushed: one)
        try await shop.playAll(["cart"], commit: one)
        try await shop.eventually { $0.runs(one) }
        let before = try await shop.get(Function.self, "alice-cart")

        if reason == .gitBranchNotFound {
            shop.source.setHead(.failure(BuildFailure(reason, "it is gone")))
            try await shop.annotate([FareboxAnnotation.reconcileRequestedAt: "now"])
        } else {
            if reason != .gitRevisionNotFound {
                shop.source.put(two, .failure(BuildFailure(reason, "line 3, column 1")), isHead: false)
            }
            try await shop.push(two)
        }

        let told = try await shop.eventually { $0.stalledReason == reason.rawValue }
        #expect(told.condition("SourceFetched")?.reason == reason.rawValue)
        #expect(told.status?.deployedCommit == one)
        #expect(try await shop.get(Function.self, "alice-cart")?.spec == before?.spec)
        #expect(try await shop.jobs().count == 1)
        try await shop.end()
    }

    @Test("A settled Repository sends no request", arguments: Backend.available)
    func settledIsSilent(backend: Backend) async throws {
        let shop = try await Workshop(on: backend)
        shop.source.put(one, ["cart": "a"])
        try await shop.makeRepository(pushed: one)
        try await shop.playAll(["cart"], commit: one)
        try await shop.eventually { $0.runs(one) }
        shop.source.put(two, ["cart": "a"])
        try await shop.makeRepository("canary", owner: "bob", pushed: two)
        try await shop.playAll(["cart"], commit: two, in: "canary", owner: "bob")
        try await shop.eventually("canary") { $0.runs(two) }
        try await shop.logsAreStored()
        let before = shop.controllerAPI.requests.count

        for number in 1...3 { try await shop.annotate(["note": "\(number)"]) }
        try await shop.annotate(["note": "1"], "canary")
        try await shop.kill()
        shop.start()
        try await shop.makeRepository("last", owner: "carol", pushed: one)
        try await shop.playAll(["cart"], commit: one, in: "last", owner: "carol")
        try await shop.eventually("last") { $0.runs(one) }

        let since = shop.controllerAPI.requests.dropFirst(before).filter {
            !$0.contains("last") && !$0.contains("carol") && !$0.contains("lease") && !$0.contains("Secret farebox")
        }
        let others = since.filter {
            $0.contains("/shop") || $0.contains("canary") || $0.contains("alice") || $0.contains("bob")
        }
        #expect(others.isEmpty, "\(others)")
        try await shop.end()
    }

    @Test("A name that another Repository holds is not taken", arguments: Backend.available)
    func nameTaken(backend: Backend) async throws {
        let shop = try await Workshop(on: backend)
        shop.source.put(one, ["ellis-fn": "a"])
        try await shop.makeRepository("first", owner: "alex", pushed: one)
        try await shop.playAll(["ellis-fn"], commit: one, in: "first", owner: "alex")
        try await shop.eventually("first") { $0.runs(one) }
        shop.source.put(two, ["fn": "b"])

        try await shop.makeRepository("second", owner: "alex-ellis", pushed: two)
        try await shop.playBuild(of: "fn", in: "second", commit: two)

        let stalled = try await shop.eventually("second") { $0.stalledReason == "NameTaken" }
        #expect(stalled.function("fn")?.reason == "NameTaken")
        #expect(try await shop.get(Function.self, "alex-ellis-fn")?.spec.source?.commit == one)
        try await shop.api.delete(Repository.self, shop.key("first"))
        try await shop.playFunctions(["fn"], commit: two, owner: "alex-ellis")
        try await shop.eventually("second") { $0.runs(two) }
        try await shop.end()
    }

    @Test("Builds that failed for no fault of their own are tried again, some times", arguments: Backend.available)
    func retries(backend: Backend) async throws {
        let shop = try await Workshop(on: backend)
        shop.source.put(one, ["cart": "a", "till": "b"])
        try await shop.makeRepository(pushed: one)
        let log = "error: failed to push r/a:1: unexpected status: 401 Unauthorized"
        let refused = ContainerStateTerminated(exitCode: 1, reason: "Error", message: log)

        try await shop.playBuild(of: "cart", phase: "Failed", terminated: refused)
        try await shop.playBuild(of: "cart", attempt: 2)
        for attempt in 1...3 {
            try await shop.playBuild(of: "till", attempt: attempt, phase: "Failed", terminated: refused)
        }
        try await shop.playFunctions(["cart"], commit: one)

        try await shop.eventually {
            $0.stalledReason == "RegistryAuthFailed" && $0.function("cart")?.state == .deployed
        }
        try await shop.eventually("the earlier attempts go once their logs are stored") {
            try await shop.jobs()["till#1"] == nil
        }
        try await shop.annotate([FareboxAnnotation.reconcileRequestedAt: "the password is right now"])
        try await shop.playBuild(of: "till")
        try await shop.playFunctions(["till"], commit: one)
        try await shop.eventually { $0.runs(one) }
        try await shop.end()
    }

    @Test("An image that the registry cannot confirm is not deployed before it can", arguments: Backend.available)
    func registryAway(backend: Backend) async throws {
        let shop = try await Workshop(on: backend)
        shop.registry.answer(503)
        shop.source.put(one, ["cart": "a"])
        try await shop.makeRepository(pushed: one)
        try await shop.playBuild(of: "cart")
        try await shop.eventually { $0.condition("Ready")?.reason == "RegistryUnreachable" }
        #expect(try await shop.functionNames().isEmpty)

        shop.registry.answer(200)

        try await shop.playFunctions(["cart"], commit: one)
        try await shop.eventually { $0.runs(one) }
        try await shop.end()
    }

    @Test(
        "Suspension holds everything, and what was pushed meanwhile is found afterwards", arguments: Backend.available)
    func suspend(backend: Backend) async throws {
        let shop = try await Workshop(on: backend)
        shop.source.put(one, ["cart": "a"])
        try await shop.makeRepository(pushed: one)
        try await shop.playAll(["cart"], commit: one)
        try await shop.eventually { $0.runs(one) }
        try await shop.patch(Repository.self, "shop", ["spec": ["suspend": true]])
        try await shop.eventually { $0.condition("Ready")?.reason == "Suspended" }
        shop.source.put(two, ["cart": "b"])
        try await shop.push(two)
        try await shop.eventually { $0.condition("Ready")?.reason == "Suspended" }
        #expect(shop.source.prepared == [one])

        try await shop.patch(Repository.self, "shop", ["spec": ["suspend": false]])

        try await shop.playAll(["cart"], commit: two)
        try await shop.eventually { $0.runs(two) }
        try await shop.end()
    }

    @Test("Deleting a Repository deletes its builds and its Functions", arguments: Backend.available)
    func delete(backend: Backend) async throws {
        let shop = try await Workshop(on: backend)
        shop.source.put(one, ["cart": "a", "till": "b"])
        try await shop.makeRepository(pushed: one)
        try await shop.playBuild(of: "cart")
        try await shop.eventually("a Function") { try await !shop.functionNames().isEmpty }

        try await shop.api.delete(Repository.self, shop.key("shop"))

        try await shop.eventually("the Repository is gone") { try await shop.get(Repository.self, "shop") == nil }
        try await shop.eventually("its Functions are gone") { try await shop.functionNames().isEmpty }
        try await shop.eventually("its Jobs are gone") { try await shop.jobs().isEmpty }
        try await shop.eventually("their Secrets are gone") {
            let secrets = try await shop.api.list(Secret.self, namespace: shop.buildsNamespace).items
            return !secrets.contains { $0.metadata.labels[BuildJob.repositoryUIDLabel] != nil }
        }
        try await shop.end()
    }

    @Test("A spec that cannot work is told, and repaired without a restart", arguments: Backend.available)
    func invalidSpec(backend: Backend) async throws {
        let shop = try await Workshop(on: backend)
        shop.source.put(one, ["cart": "a"])
        try await shop.makeRepository()
        try await shop.patch(Repository.self, "shop", ["spec": ["interval": "1s"]])
        try await shop.eventually { $0.stalledReason == "Invalid" }

        try await shop.patch(Repository.self, "shop", ["spec": ["interval": "0s"]])

        try await shop.playAll(["cart"], commit: one)
        try await shop.eventually { $0.runs(one) }
        try await shop.end()
    }

    @Test("A Function that somebody deletes comes back without a build", arguments: Backend.available)
    func deletedFunction(backend: Backend) async throws {
        let shop = try await Workshop(on: backend)
        shop.source.put(one, ["cart": "a"])
        try await shop.makeRepository(pushed: one)
        try await shop.playAll(["cart"], commit: one)
        let image = try await shop.eventually { $0.runs(one) }.function("cart")?.image
        for job in try await shop.jobs().values { try await shop.api.delete(Job.self, job.key) }
        try await shop.eventually("no Job is left") { try await shop.jobs().isEmpty }

        try await shop.api.delete(Function.self, shop.key("alice-cart"))

        try await shop.playFunctions(["cart"], commit: one)
        try await shop.eventually { $0.runs(one) }
        #expect(try await shop.get(Function.self, "alice-cart")?.spec.image == image)
        #expect(try await shop.jobs().isEmpty)
        try await shop.end()
    }

    @Test("A build whose pod is never made says where to look", arguments: Backend.available)
    func noPod(backend: Backend) async throws {
        let shop = try await Workshop(on: backend)
        shop.source.put(one, ["cart": "a"])

        try await shop.makeRepository(pushed: one)

        let told = try await shop.eventually { $0.function("cart")?.reason == "BuilderFailed" }
        #expect(told.function("cart")?.state == .building)
        #expect(told.function("cart")?.message?.contains("kubectl describe job") == true)
        try await shop.playAll(["cart"], commit: one)
        try await shop.eventually { $0.runs(one) }
        try await shop.end()
    }

    @Test("A Git host that hangs holds up nobody else")
    func hangingHost() async throws {
        let shop = try await Workshop(on: .memory)
        shop.source.put(one, ["cart": "a"])
        try await shop.makeRepository(pushed: one)
        try await shop.playAll(["cart"], commit: one)
        try await shop.eventually { $0.runs(one) }
        shop.source.hang(true)
        for number in 1...20 { try await shop.makeRepository("slow-\(number)", owner: "o\(number)", pushed: one) }
        try await shop.eventually("slow-20") { $0.condition("Ready")?.reason == "Fetching" }

        try await shop.playFunction("alice-cart", stalled: "CrashLoop")

        try await shop.eventually { $0.function("cart")?.reason == "FunctionNotReady" }
        try await shop.end()
    }

    @Test("A controller that is killed at any write comes to the same end", arguments: 1...24)
    func killedAnywhere(number: Int) async throws {
        let shop = try await Workshop(on: .memory) { count, _ in
            // The process dies with its Nth write: nothing it does after that arrives.
            count >= number ? .transport(.closed, during: "the end") : nil
        }
        shop.source.put(one, ["cart": "a", "till": "b"])
        try await shop.makeRepository(pushed: one)
        try await shop.eventually("the last write") {
            if shop.controllerAPI.requests.count >= number { return true }
            // Fewer writes are needed until only builders can go on.
            let secrets = try await shop.secretCount()
            return try await shop.jobs().count == 2 && secrets == 2
        }
        try await shop.kill()

        shop.controllerAPI.heal()
        shop.start()
        try await shop.playAll(["cart", "till"], commit: one)

        let ready = try await shop.eventually { $0.runs(one) }
        #expect(ready.status?.history.map(\.result) == [.deployed])
        #expect(try await shop.jobs().keys.sorted() == ["cart#1", "till#1"], "nothing is built twice")
        #expect(try await shop.functionNames() == ["alice-cart", "alice-till"])
        try await shop.end()
    }

    @Test(
        "A controller that is killed while a stack changes comes to the same end",
        arguments: Array(stride(from: 1, through: 70, by: 3)))
    func killedWhileChanging(number: Int) async throws {
        let shop = try await Workshop(on: .memory) { count, _ in
            count >= number ? .transport(.closed, during: "the end") : nil
        }
        var isFirst = true
        func play(until commit: String) async throws {
            try await shop.eventually("\(commit.prefix(3)) runs") {
                if isFirst, shop.controllerAPI.requests.count >= number {
                    isFirst = false
                    try await shop.kill()
                    shop.controllerAPI.heal()
                    shop.start()
                }
                try await shop.playWhatIsThere()
                return try await shop.get(Repository.self, "shop")?.runs(commit) == true
            }
        }
        shop.source.put(one, ["cart": "a", "old": "b"])
        try await shop.makeRepository(pushed: one)
        try await play(until: one)
        shop.source.put(two, ["cart": "a", "till": "c"])
        try await shop.push(two)

        try await play(until: two)

        try await shop.eventually("the old function is gone") {
            try await shop.functionNames() == ["alice-cart", "alice-till"]
        }
        let functions = try await shop.api.list(Function.self, namespace: shop.namespace).items
        #expect(functions.allSatisfy { $0.spec.source?.commit == two })
        #expect(try await shop.jobs()["cart#1"]?.metadata.annotations[BuildJob.commitAnnotation] == one)
        try await shop.end()
    }
}
