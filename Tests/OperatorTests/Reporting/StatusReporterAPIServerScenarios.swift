import Builds
import CRDs
import GitHosts
import KubernetesTypes
import Testing

@testable import Operator

@Suite("Telling the Git host", .timeLimit(.minutes(10)))
struct StatusReporterAPIServerScenarios {
    private let one = Workshop.commit("1")
    private let two = Workshop.commit("2")
    private let three = Workshop.commit("3")

    @Test(
        "A push is told from its beginning to its end, and nothing of it twice, also after a restart",
        arguments: Backend.available)
    func pushToReady(backend: Backend) async throws {
        let teller = StubTeller()
        let shop = try await Workshop(on: backend, teller: teller)
        shop.source.put(one, ["cart": "a"])
        try await shop.makeRepository(pushed: one)
        try await shop.eventually("the build is told of") { teller.told.count == 2 }
        try await shop.playAll(["cart"], commit: one)

        let ready = try await shop.eventually {
            $0.runs(one) && $0.condition("StatusReported")?.status == .true && teller.told.count >= 4
        }
        try await shop.eventually("the marks of what was told last are kept") {
            let kept = ReportMarks.read(try await shop.get(Repository.self, "shop")?.status?.reportedDigest)
            return teller.told.suffix(2).allSatisfy { kept[$0.slot.mark] == $0.mark }
        }
        try await shop.kill()
        shop.start()
        try await shop.annotate([FareboxAnnotation.reconcileRequestedAt: "again"])
        try await shop.eventually { $0.status?.lastHandledReconcileAt == "again" && $0.runs(one) }

        #expect(
            teller.lines == [
                "111 stack-deploy: pending", "111 cart: pending", "111 cart: success", "111 stack-deploy: success",
            ])
        #expect(
            teller.told.map(\.report.description) == [
                "alice-shop stack deploy is in progress",
                "cart function build started, image: \(shop.registry.name)/alice/shop-cart:latest-main-1111111",
                "deployed: alice-cart", "stack is successfully deployed",
            ])
        #expect(
            teller.told.map(\.report.targetURL) == [
                "https://git.example.com/alice/shop.git", "https://git.example.com/alice/shop.git",
                "https://alice.farebox.example.com/cart", "https://system.farebox.example.com/dashboard/alice",
            ])
        #expect(ready.condition("Ready")?.status == .true)
        try await shop.end()
    }

    @Test("A host that fails or hangs holds up no deploy, and gets the end of it later", arguments: Backend.available)
    func failingHost(backend: Backend) async throws {
        let teller = StubTeller()
        teller.fail(.later("the status was answered with 500", after: nil))
        let shop = try await Workshop(on: backend, teller: teller)
        shop.source.put(one, ["cart": "a"])
        try await shop.makeRepository(pushed: one)
        try await shop.playAll(["cart"], commit: one)

        let waiting = try await shop.eventually {
            $0.runs(one) && $0.condition("StatusReported")?.reason == "GitHostUnreachable"
        }
        teller.hang(true)
        shop.source.put(two, ["cart": "b"])
        try await shop.push(two)
        try await shop.playAll(["cart"], commit: two)
        try await shop.eventually { $0.runs(two) }
        #expect(teller.told.isEmpty)
        teller.fail(nil)
        teller.hang(false)
        try await shop.eventually { $0.condition("StatusReported")?.status == .true && $0.runs(two) }

        #expect(waiting.condition("StatusReported")?.message.contains("500") == true)
        #expect(Array(teller.lines.suffix(2)) == ["222 cart: success", "222 stack-deploy: success"])
        #expect(Set(teller.lines).count == teller.lines.count)
        try await shop.end()
    }

    @Test("A commit that a newer one overtook is told that, with every context it had", arguments: Backend.available)
    func superseded(backend: Backend) async throws {
        let teller = StubTeller()
        let shop = try await Workshop(on: backend, teller: teller)
        shop.source.put(one, ["cart": "a", "till": "a"])
        shop.source.put(two, ["cart": "b"])
        try await shop.makeRepository(pushed: one)
        try await shop.eventually("the first is told of") { teller.told.count == 3 }

        try await shop.push(two)
        try await shop.playAll(["cart"], commit: two)
        try await shop.eventually { $0.runs(two) }
        try await shop.eventually("all is told") { teller.lines.contains("222 stack-deploy: success") }

        let cancelled = teller.told.filter { $0.report.state == .cancelled }
        #expect(Set(cancelled.map(\.report.context)) == ["stack-deploy", "cart", "till"])
        #expect(cancelled.allSatisfy { $0.commit == one && $0.report.description == "superseded by a newer commit" })
        #expect(cancelled.count == 3)
        #expect(!teller.lines.contains { $0.hasPrefix("111") && $0.hasSuffix("success") })
        try await shop.end()
    }

    @Test("A push that nobody had looked at when the next one came is told that it was overtaken")
    func overtakenUnseen() async throws {
        let teller = StubTeller()
        let shop = try await Workshop(on: .memory, teller: teller)
        shop.source.put(one, ["cart": "a"])
        shop.source.put(two, ["cart": "b"])
        shop.source.put(three, ["cart": "c"])
        try await shop.makeRepository(pushed: one)
        try await shop.playAll(["cart"], commit: one)
        try await shop.eventually { $0.runs(one) }

        try await shop.push(two)
        try await shop.push(three)
        try await shop.playAll(["cart"], commit: three)
        try await shop.eventually { $0.runs(three) }
        try await shop.eventually("both are told") {
            teller.lines.contains("222 stack-deploy: cancelled") && teller.lines.contains("333 stack-deploy: success")
        }

        #expect(!teller.lines.contains("111 stack-deploy: cancelled"), "it had been deployed")
        #expect(!teller.lines.contains("333 stack-deploy: cancelled"))
        try await shop.end()
    }

    @Test("A stack that cannot be read is told with its reason", arguments: Backend.available)
    func invalidStack(backend: Backend) async throws {
        let teller = StubTeller()
        let shop = try await Workshop(on: backend, teller: teller)
        shop.source.put(one, .failure(BuildFailure(.stackInvalid, "stack.yml:3:5: a function needs an image")))

        try await shop.makeRepository(pushed: one)
        try await shop.eventually { $0.stalledReason == "StackInvalid" }
        try await shop.eventually("it is told") { teller.lines.contains("111 stack-deploy: failure") }

        #expect(teller.told.last?.report.description == "StackInvalid: stack.yml:3:5: a function needs an image")
        #expect(teller.told.last?.report.targetURL == "https://system.farebox.example.com/dashboard/alice")
        try await shop.end()
    }

    @Test("A build that fails is told on its function with its reason and its log", arguments: Backend.available)
    func failedBuild(backend: Backend) async throws {
        let teller = StubTeller()
        let shop = try await Workshop(on: backend, teller: teller)
        shop.source.put(one, ["cart": "broken"])
        try await shop.makeRepository(pushed: one)
        let log = "#7 boom\nERROR: process \"/bin/sh -c make\" did not complete successfully: exit code: 7"

        try await shop.playBuild(
            of: "cart", commit: one, phase: "Failed",
            terminated: ContainerStateTerminated(exitCode: 1, reason: "Error", message: log))
        try await shop.eventually { $0.stalledReason == "StepFailed" }
        try await shop.eventually("it is told") { teller.lines.contains("111 stack-deploy: failure") }

        let cart = try #require(teller.told.first { $0.report.context == "cart" && $0.report.state == .failure })
        #expect(cart.report.description.hasPrefix("Unable to build image, check builder logs: StepFailed: "))
        #expect(cart.report.text?.contains("#7 boom") == true)
        // The log that is kept, or the dashboard's page of it.
        let target = cart.report.targetURL ?? ""
        #expect(target.contains("/cart") && target.contains(one))
        #expect(teller.told.last?.report.description == "deploy failed: cart failed to be deployed")
        try await shop.end()
    }

    @Test("A host that refuses is asked again only when somebody asks for it", arguments: Backend.available)
    func refusal(backend: Backend) async throws {
        let teller = StubTeller()
        teller.fail(.refused("the status was refused with 403"))
        let shop = try await Workshop(on: backend, teller: teller)
        shop.source.put(one, ["cart": "a"])
        try await shop.makeRepository(pushed: one)
        try await shop.playAll(["cart"], commit: one)
        let refused = try await shop.eventually {
            $0.runs(one) && $0.condition("StatusReported")?.reason == "GitHostRefused"
        }
        try await shop.eventually("all was tried") { teller.tries >= 2 }
        let tries = teller.tries

        teller.fail(nil)
        try await shop.annotate([FareboxAnnotation.reconcileRequestedAt: "now"])
        try await shop.eventually { $0.condition("StatusReported")?.status == .true && $0.runs(one) }

        #expect(refused.condition("StatusReported")?.message.contains("403") == true)
        #expect(tries <= 4, "each report once at most")
        #expect(Set(teller.lines.suffix(2)) == ["111 cart: success", "111 stack-deploy: success"])
        try await shop.end()
    }
}
