import Builds
import CRDs
import JSON
import KubernetesClient
import KubernetesTypes
import MemoryCluster
import Testing

@testable import Operator

@Suite("Sealed Secrets of a repository", .timeLimit(.minutes(10)))
struct SealedSecretsTests {
    private let one = Workshop.commit("1")
    private let two = Workshop.commit("2")

    private func secret(_ name: String, in shop: Workshop) async throws -> JSONValue? {
        do {
            return try await shop.api.get(SealedSecrets.descriptor, ObjectKey(namespace: shop.namespace, name: name))
        } catch let error as KubernetesError where error.isNotFound {
            return nil
        }
    }

    @Test("are applied in the Repository's namespace, marked with their owner, and once")
    func applied() async throws {
        let shop = try await Workshop(on: .memory)
        shop.source.put(one, ["cart": "a"])
        shop.source.bring(["alice-db", "alice-api"], with: one)
        let repository = try await shop.makeRepository(pushed: one)

        try await shop.playAll(["cart"], commit: one)

        let ready = try await shop.eventually { $0.runs(one) }
        let object = try #require(try await secret("alice-db", in: shop))
        #expect(ready.condition("SecretsApplied")?.status == .true)
        #expect(object[path: "metadata", "annotations"]?[FareboxAnnotation.owner]?.stringValue == "alice")
        #expect(object[path: "spec", "template", "metadata"]?["annotations"]?[FareboxAnnotation.owner] == "alice")
        #expect(
            object[path: "metadata", "ownerReferences"]?[0]?["uid"]?.stringValue == repository.metadata.uid)
        #expect(try await secret("alice-api", in: shop) != nil)
        let writes = shop.controllerAPI.requests.filter { $0.contains("sealedsecrets") && $0.contains("apply") }
        #expect(writes.count == 2, "\(writes)")
        try await shop.end()
    }

    @Test("that the cluster cannot open are told, and the functions are built all the same")
    func unavailable() async throws {
        let shop = try await Workshop(on: .memory) { _, request in
            guard request.resource?.plural == "sealedsecrets" else { return nil }
            return .api(
                APIStatus(message: "the server could not find the requested resource", reason: .notFound, code: 404))
        }
        shop.source.put(one, ["cart": "a"])
        shop.source.bring(["alice-db"], with: one)
        try await shop.makeRepository(pushed: one)

        try await shop.playAll(["cart"], commit: one)

        let waiting = try await shop.eventually {
            $0.status?.deployedCommit == one && $0.condition("Ready")?.reason == "SealedSecretsUnavailable"
        }
        #expect(waiting.condition("SecretsApplied")?.status == .false)
        #expect(waiting.condition("Ready")?.message.contains("sealedsecrets.bitnami.com") == true)
        #expect(waiting.condition("Stalled") == nil)
        shop.controllerAPI.heal()
        try await shop.eventually { $0.runs(one) && $0.condition("SecretsApplied")?.status == .true }
        #expect(try await secret("alice-db", in: shop) != nil)
        try await shop.end()
    }

    @Test("never take a name that another owner has, and never a Secret that somebody made by hand")
    func foreign() async throws {
        let shop = try await Workshop(on: .memory)
        shop.source.put(one, ["cart": "a"])
        shop.source.bring(["alex-ellis-db"], with: one)
        try await shop.makeRepository("first", owner: "alex", pushed: one)
        try await shop.eventually("the first one's Secret") { try await secret("alex-ellis-db", in: shop) != nil }
        let before = try await secret("alex-ellis-db", in: shop)

        try await shop.makeRepository("second", owner: "alex-ellis", pushed: one)

        let refused = try await shop.eventually("second") { $0.condition("SecretsApplied")?.status == .false }
        #expect(refused.condition("SecretsApplied")?.reason == "NameTaken")
        #expect(refused.condition("SecretsApplied")?.message.contains("alex") == true)
        #expect(try await secret("alex-ellis-db", in: shop) == before)
        _ = try await shop.api.create(
            Secret(metadata: ObjectMeta(name: "bob-key", namespace: shop.namespace)))
        shop.source.put(two, ["cart": "a"])
        shop.source.bring(["bob-key"], with: two)
        try await shop.makeRepository("third", owner: "bob", pushed: two)
        try await shop.eventually("third") { $0.condition("SecretsApplied")?.reason == "NameTaken" }
        #expect(try await secret("bob-key", in: shop) == nil)
        try await shop.end()
    }

    @Test("say nothing more once a commit brings none")
    func gone() async throws {
        let shop = try await Workshop(on: .memory)
        shop.source.put(one, ["cart": "a"])
        shop.source.bring(["alice-db"], with: one)
        try await shop.makeRepository(pushed: one)
        try await shop.playAll(["cart"], commit: one)
        try await shop.eventually { $0.runs(one) }
        shop.source.put(two, ["cart": "a"])

        try await shop.push(two)

        try await shop.playFunctions(["cart"], commit: two)
        let ready = try await shop.eventually { $0.runs(two) }
        #expect(ready.status?.conditions.contains { $0.type == "SecretsApplied" } == false)
        try await shop.end()
    }

    @Test("An image that is there already runs without a build")
    func skippedBuild() async throws {
        let shop = try await Workshop(on: .memory)
        shop.source.put(one, .success([.init(name: "cart", files: "", image: "registry.example.com/team/cart:1.0")]))
        try await shop.makeRepository(pushed: one)

        try await shop.playFunctions(["cart"], commit: one)

        try await shop.eventually { $0.runs(one) }
        let function = try await shop.get(Function.self, "alice-cart")
        #expect(function?.spec.image == "registry.example.com/team/cart:1.0")
        #expect(function?.spec.source?.runtime == nil)
        #expect(try await shop.jobs().isEmpty)
        try await shop.end()
    }
}
