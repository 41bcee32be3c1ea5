import CRDs
import ControllerRuntime
import JSON
import KubernetesClient
import KubernetesTypes
import Testing

@testable import Operator

@Suite("Functions on a real API server", Backend.serverIsNeeded, .timeLimit(.minutes(3)))
struct FunctionServerScenarios {
    static let image = FunctionScenarios.image

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
        let api = try await Backend.server.api()
        let body: JSONValue = [
            "apiVersion": "farebox.dev/v1alpha1", "kind": "Function", "metadata": ["name": "invalid"],
            "spec": try JSONReader().parse(Array(spec.utf8)),
        ]

        let error = await #expect(throws: KubernetesError.self) {
            _ = try await api.send(
                APIRequest(
                    .create, Function.descriptor, namespace: "default", query: [(name: "dryRun", value: "All")],
                    body: body))
        }

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

        try await world.eventually(within: .seconds(60), "everything is gone") {
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
            try await world.eventually(name, within: .seconds(60)) { $0.reason == "RollingOut" }
            try await world.playRollout(name)
        }
        for name in names { try await world.eventually(name, within: .seconds(60)) { $0.isReady } }

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
