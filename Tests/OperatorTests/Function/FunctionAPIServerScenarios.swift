import CRDs
import ControllerRuntime
import JSON
import KubernetesClient
import KubernetesTypes
import MemoryCluster
import Testing

@testable import Operator

@Suite("Functions on a real API server", Backend.serverIsNeeded, .timeLimit(.minutes(10)))
struct FunctionAPIServerScenarios {
    static let image = FunctionScenarios.image

    struct Scenario: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let play: @Sendable (FunctionScenarios) async throws -> Void
    }

    static let scenarios: [Scenario] = [
        Scenario(
            testDescription:
                "A Function becomes a Deployment, a Service and a policy, and is ready when its replicas are"
        ) { try await $0.becomesReady() },
        Scenario(testDescription: "A settled Function sends no request, whatever happens beside it") {
            try await $0.settledIsSilent()
        },
        Scenario(testDescription: "What others change or delete is repaired") { try await $0.driftIsRepaired() },
        Scenario(testDescription: "Without its RuntimeClass a Function stalls and does not run; with it, it does") {
            try await $0.missingRuntimeClass()
        },
        Scenario(testDescription: "A Function waits for its Secret, naming it, and goes on when it comes") {
            try await $0.missingSecret()
        },
        Scenario(testDescription: "A Function that is switched off has no replica, says so, and comes back") {
            try await $0.suspended()
        },
        Scenario(testDescription: "A tag is resolved once and stays pinned; an unknown one is asked for again") {
            try await $0.tagIsPinned()
        },
        Scenario(testDescription: "A tag that is deployed once more is looked up once more") {
            try await $0.redeployed()
        },
        Scenario(testDescription: "An object of somebody else is never taken over") { try await $0.nameTaken() },
        Scenario(testDescription: "A change that cannot work is named and leaves what runs alone") {
            try await $0.invalidChange()
        },
        Scenario(testDescription: "A crash loop is told with exit code and last words, and ends when the program stays")
        { try await $0.crashLoop() },
        Scenario(testDescription: "A Function that demands payment stalls where the cluster takes none") {
            try await $0.payments()
        },
        Scenario(testDescription: "A used-up quota is named, and left when there is room again") {
            try await $0.quota()
        },
        Scenario(
            testDescription: "Registry credentials reach the nodes: only the image's own, and anew when they change"
        ) { try await $0.pullCredentials() },
    ]

    @Test("What holds in memory holds on a real server", arguments: scenarios)
    func scenario(scenario: Scenario) async throws {
        try await scenario.play(FunctionScenarios(backend: .server))
    }

    @Test(
        "Repositories and Receipts that the schema excludes are refused by the field's name",
        arguments: [
            (Repository.descriptor, #"{}"#, "spec.url"),
            (Repository.descriptor, #"{"url": "file:///srv/git/shop.git"}"#, "spec.url"),
            (Repository.descriptor, #"{"url": "https://u:p@github.com/alex/shop"}"#, "spec.url"),
            (Repository.descriptor, #"{"url": "https://h/r", "provider": "Bitbucket"}"#, "spec.provider"),
            (Repository.descriptor, #"{"url": "https://h/r", "branch": "a b"}"#, "spec.branch"),
            (Repository.descriptor, #"{"url": "https://h/r", "interval": "often"}"#, "spec.interval"),
            (Receipt.descriptor, #"{}"#, "spec.receipt"),
            (Receipt.descriptor, #"{"receipt": "AAAA"}"#, "spec.receipt"),
            (
                Receipt.descriptor, #"{"receipt": "\#(String(repeating: "A", count: 78))==", "rail": "Cash"}"#,
                "spec.rail"
            ),
        ])
    func refusesOthers(resource: ResourceDescriptor, spec: String, field: String) async throws {
        let error = try await Self.refusal(of: resource, spec: spec)

        #expect(error?.isInvalid == true)
        #expect(error?.description.contains(field) == true, "\(String(describing: error))")
    }

    /// Creates an object without storing it, and returns why the server refuses that.
    private static func refusal(of resource: ResourceDescriptor, spec: String) async throws -> KubernetesError? {
        let api = try await Backend.server.api()
        let body: JSONValue = [
            "apiVersion": .string(resource.apiVersion), "kind": .string(resource.kind),
            "metadata": ["name": "invalid"], "spec": try JSONReader().parse(Array(spec.utf8)),
        ]
        return await #expect(throws: KubernetesError.self) {
            _ = try await api.send(
                APIRequest(
                    .create, resource, namespace: "default", query: [(name: "dryRun", value: "All")], body: body))
        }
    }

    @Test(
        "The API server refuses what the schema excludes, and names the field",
        arguments: [
            (#"{}"#, "spec.image"),
            (#"{"image": ""}"#, "spec.image"),
            (#"{"image": "a b"}"#, "spec.image"),
            (#"{"image": "x", "replicas": -1}"#, "spec.replicas"),
            (#"{"image": "x", "replicas": "1"}"#, "spec.replicas"),
            (#"{"image": "x", "port": 65536}"#, "spec.port"),
            (#"{"image": "x", "scale": {"min": 1001}}"#, "spec.scale.min"),
            (#"{"image": "x", "egress": "Everything"}"#, "spec.egress"),
            (#"{"image": "x", "secrets": ["a", "a"]}"#, "spec.secrets"),
            (#"{"image": "x", "secrets": ["A"]}"#, "spec.secrets"),
            (#"{"image": "x", "timeout": "soon"}"#, "spec.timeout"),
            (#"{"image": "x", "resources": {"limits": {"cpu": "lots"}}}"#, "spec.resources.limits.cpu"),
            (#"{"image": "x", "runtimeClassName": "No Class"}"#, "spec.runtimeClassName"),
            (#"{"image": "x", "health": {"path": "health"}}"#, "spec.health.path"),
            (#"{"image": "x", "environment": {"A": 1}}"#, "spec.environment.A"),
            (#"{"image": "x", "source": {"commit": "main"}}"#, "spec.source.commit"),
            (#"{"image": "x", "payment": {"price": {"amount": 1}}}"#, "spec.payment.price"),
        ])
    func refusesInvalid(spec: String, field: String) async throws {
        let error = try await Self.refusal(of: Function.descriptor, spec: spec)

        #expect(error?.isInvalid == true)
        #expect(error?.description.contains(field) == true, "\(String(describing: error))")
    }

    @Test(
        "A name that a Service or a label cannot bear is refused",
        arguments: ["a.b", String(repeating: "a", count: 61)])
    func refusesNames(name: String) async throws {
        let api = try await Backend.server.api()

        let error = await #expect(throws: KubernetesError.self) {
            _ = try await api.create(
                Function(metadata: ObjectMeta(name: name, namespace: "default"), spec: FunctionSpec(image: "x")))
        }

        #expect(error?.description.contains("metadata.name") == true)
    }

    @Test("The scale subresource reads and sets the number of replicas")
    func scale() async throws {
        let world = try await World(on: .server)
        try await world.makeRuntimeClass()
        try await world.makeFunction(spec: "image: \(Self.image)")
        try await world.eventually { $0.reason == "RollingOut" }

        let answer = try await world.api.send(
            APIRequest(
                .mergePatch, Function.descriptor, namespace: world.namespace, name: "hello", subresource: "scale",
                body: ["spec": ["replicas": 3]]))

        let scale = try JSONReader().parse(answer)
        #expect(scale["kind"] == "Scale")
        #expect(scale["status"]?["selector"] == "farebox.dev/name=hello")
        try await world.eventually("three replicas are wanted") {
            try await world.get(Deployment.self)?.spec.replicas == 3
        }
        try await world.playRollout()
        try await world.eventually { $0.isReady && $0.status?.replicas == 3 }
        try await world.end()
    }

    @Test("Deleting a Function deletes all of it")
    func deletion() async throws {
        let world = try await World(on: .server)
        try await world.makeRuntimeClass()
        try await world.makeFunction(spec: "image: \(Self.image)")
        try await world.eventually { $0.reason == "RollingOut" }

        try await world.api.delete(Function.self, world.key())

        try await world.eventually(within: .seconds(300), "everything is gone") {
            let isRunning = try await world.has(Deployment.self)
            let isNamed = try await world.has(Service.self)
            let isFenced = try await world.has(NetworkPolicy.self)
            return !isRunning && !isNamed && !isFenced
        }
        try await world.end()
    }

    @Test("200 Functions settle, and then nothing is sent, also by a controller that starts anew")
    func twoHundred() async throws {
        let world = try await World(on: .server)
        try await world.makeRuntimeClass()
        let names = (1...200).map { "f\($0)" }
        for name in names { try await world.makeFunction(name, spec: "image: \(Self.image)") }
        for name in names {
            try await world.eventually(name, within: .seconds(300)) { $0.reason == "RollingOut" }
            try await world.playRollout(name)
        }
        for name in names { try await world.eventually(name, within: .seconds(300)) { $0.isReady } }

        try await world.restart()
        let before = world.controllerAPI.requests.count
        // A Function more, dealt with after all others were: the queue works in order.
        try await world.makeFunction("last", spec: "image: \(Self.image)")
        try await world.eventually("last") { $0.reason == "RollingOut" }
        try await world.playRollout("last")
        try await world.eventually("last") { $0.isReady }

        let sent = world.controllerAPI.requests.dropFirst(before).filter {
            !$0.hasSuffix("/last") && !$0.contains("/version")
        }
        #expect(sent == [])
        try await world.end()
    }
}
