import Audit
import Builds
import CRDs
import Cryptography
import JSON
import KubernetesClient
import KubernetesTypes
import MemoryCluster
import Testing
import Timing

@testable import Operator

@Suite("The logs of builds", .timeLimit(.minutes(10)))
struct BuildLogScenarios {
    private let one = Workshop.commit("1")
    private let two = Workshop.commit("2")

    private func path(_ commit: String, _ function: String = "cart") -> String {
        "/logs/v1/alice/shop/\(commit)/\(function)"
    }

    @Test("A log is stored once, without the secrets of the build, and the status says where")
    func stored() async throws {
        let shop = try await Workshop(on: .memory)
        let memory = try #require(shop.api as? MemoryAPI)
        shop.source.put(one, ["cart": "a"])
        try await shop.makeRepository(pushed: one)
        try await shop.eventually("the build") { try await shop.jobs()["cart#1"] != nil }
        let job = try #require(try await shop.jobs()["cart#1"])
        let building = try await shop.eventually { $0.function("cart")?.logURL != nil }
        let token = try await contextToken(of: job, shop)
        memory.say(
            "2026-11-20T12:00:00Z begin\n2026-11-20T12:00:01Z the token is \(token)!\n", as: job.metadata.name + "-pod")

        try await shop.playAll(["cart"], commit: one)
        let ready = try await shop.eventually { $0.runs(one) }
        try await shop.eventually("the Job says so") {
            try await shop.jobs()["cart#1"]?.metadata.annotations[BuildLogKeeper.annotation] == "stored"
        }
        try await shop.annotate(["unrelated": "1"])
        try await shop.kill()

        #expect(
            shop.logs.logs == [
                path(one): ["2026-11-20T12:00:00Z begin\n2026-11-20T12:00:01Z the token is ***!\n"]
            ])
        #expect(building.function("cart")?.logURL == shop.logs.url + path(one))
        #expect(ready.function("cart")?.logURL == shop.logs.url + path(one))
        try await shop.end()
    }

    @Test("A function that is not built again keeps the log of the build that made it")
    func reused() async throws {
        let shop = try await Workshop(on: .memory)
        shop.source.put(one, ["cart": "a"])
        try await shop.makeRepository(pushed: one)
        try await shop.playAll(["cart"], commit: one)
        try await shop.eventually { $0.runs(one) }
        shop.source.put(two, ["cart": "a"])

        try await shop.push(two)
        try await shop.playFunctions(["cart"], commit: two)
        let ready = try await shop.eventually { $0.runs(two) }

        #expect(ready.function("cart")?.logURL == shop.logs.url + path(one))
        try await shop.end()
    }

    @Test("A build stays until its log is stored, and what was not stored is stored by the next process")
    func restart() async throws {
        let shop = try await Workshop(on: .memory)
        let memory = try #require(shop.api as? MemoryAPI)
        shop.logs.answer(503)
        shop.source.put(one, ["cart": "a"])
        try await shop.makeRepository(pushed: one)
        try await shop.eventually("the build") { try await shop.jobs()["cart#1"] != nil }
        let job = try #require(try await shop.jobs()["cart#1"])
        memory.say("2026-11-20T12:00:00Z first\n", as: job.metadata.name + "-pod")
        try await shop.playAll(["cart"], commit: one)
        try await shop.eventually { $0.runs(one) }
        shop.source.put(two, ["cart": "b"])
        try await shop.push(two)
        try await shop.eventually("both builds") {
            try await shop.api.list(Job.self, namespace: shop.buildsNamespace).items.count == 2
        }

        try await shop.kill()
        shop.logs.answer(201)
        shop.start()
        try await shop.playAll(["cart"], commit: two)
        try await shop.eventually { $0.runs(two) }

        try await shop.eventually("the old build goes once its log is stored") {
            try await shop.api.list(Job.self, namespace: shop.buildsNamespace).items.count == 1
        }
        try await shop.eventually("the new build's log is stored as well") { shop.logs.logs[path(two)] != nil }
        #expect(shop.logs.logs[path(one)] == ["2026-11-20T12:00:00Z first\n"])
        #expect(shop.logs.logs[path(two)]?.count == 1)
        try await shop.end()
    }

    @Test("The log of a failed build that is asked for again is stored before the build goes")
    func again() async throws {
        let shop = try await Workshop(on: .memory)
        let memory = try #require(shop.api as? MemoryAPI)
        shop.source.put(one, ["cart": "broken"])
        try await shop.makeRepository(pushed: one)
        try await shop.eventually("the build") { try await shop.jobs()["cart#1"] != nil }
        let job = try #require(try await shop.jobs()["cart#1"])
        memory.say("2026-11-20T12:00:00Z it breaks\n", as: job.metadata.name + "-pod")
        // The log is not stored before the build is asked for again.
        shop.logs.answer(503)
        let log = "ERROR: process \"/bin/sh -c make\" did not complete successfully: exit code: 7"
        try await shop.playBuild(
            of: "cart", commit: one, phase: "Failed",
            terminated: ContainerStateTerminated(exitCode: 1, reason: "Error", message: log))
        // Pods and Repositories are told of apart: a push that is seen before the failure asks for nothing new.
        try await shop.eventually { $0.function("cart")?.state == .failed }
        shop.logs.answer(201)
        try await shop.push(one)
        try await shop.eventually("the next build") {
            let next = try await shop.jobs()["cart#1"]
            return next != nil && next?.metadata.uid != job.metadata.uid
        }

        #expect(shop.logs.logs[path(one)]?.first == "2026-11-20T12:00:00Z it breaks\n")
        try await shop.end()
    }

    private func contextToken(of job: Job, _ shop: Workshop) async throws -> String {
        let secret = try #require(try await shop.get(Secret.self, ArtifactAccess.secretName))
        let key = try #require(Base64.decode(String(decoding: secret["key"] ?? [], as: UTF8.self)))
        let url = try #require(
            job.spec.template.spec.containers.first?.args.first { $0.hasPrefix("context=") })
        let name = try #require(url.split(separator: "/").last.map(String.init))
        return try #require(ArtifactTokens(key: key)).read(digest: try #require(ArtifactPath.digest(inFileName: name)))
    }
}
