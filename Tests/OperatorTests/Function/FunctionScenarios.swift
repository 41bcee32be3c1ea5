import CRDs
import ControllerRuntime
import JSON
import KubernetesClient
import KubernetesTypes
import MemoryCluster
import Testing

@testable import Operator

@Suite("The Function controller", .timeLimit(.minutes(10)))
struct FunctionScenarios {
    /// Where they run; ``FunctionAPIServerScenarios`` runs them on a real server too.
    var backend = Backend.memory

    static let image = "registry.example.com/alex/hello@\(FunctionFixtures.digest)"

    @Test("A Function becomes a Deployment, a Service and a policy, and is ready when its replicas are")
    func becomesReady() async throws {
        let world = try await World(on: backend)
        try await world.makeRuntimeClass()
        let function = try await world.makeFunction(spec: "image: \(Self.image)\nreplicas: 2")
        try await world.eventually { $0.reason == "RollingOut" }

        try await world.playRollout()

        let ready = try await world.eventually { $0.isReady }
        #expect(ready.status?.availableReplicas == 2)
        #expect(ready.status?.replicas == 2)
        #expect(ready.status?.image == Self.image)
        #expect(ready.status?.selector == "farebox.dev/name=hello")
        #expect(ready.status?.url == "http://localhost:8080/function/hello.\(world.namespace)")
        #expect(ready.status?.runtimeClassName == world.runtimeClassName)
        #expect(
            ready.status?.conditions.map(\.type).sorted() == [
                "Available", "NetworkPolicyApplied", "Ready", "Sandboxed",
            ])
        #expect(ready.status?.conditions.allSatisfy { $0.status == .true } == true)
        for metadata in [
            try await world.get(Deployment.self)?.metadata, try await world.get(Service.self)?.metadata,
            try await world.get(NetworkPolicy.self)?.metadata,
        ] {
            #expect(metadata?.controllerReference?.uid == function.metadata.uid)
        }
        try await world.end()
    }

    @Test("A settled Function sends no request, whatever happens beside it")
    func settledIsSilent() async throws {
        let world = try await World(on: backend)
        try await world.makeRuntimeClass()
        try await world.makeFunction(spec: "image: \(Self.image)\nsecrets: [key]")
        _ = try await world.api.create(Secret(metadata: ObjectMeta(name: "key", namespace: world.namespace)))
        try await world.eventually { $0.reason == "RollingOut" }
        try await world.playRollout()
        try await world.eventually { $0.isReady }
        try await world.makeFunction("canary", spec: "image: \(Self.image)")
        try await world.eventually("canary") { $0.reason == "RollingOut" }
        let before = world.controllerAPI.requests.count

        try await world.playPod(
            "hello-1", status: ["phase": "Running", "conditions": [["type": "Ready", "status": "True"]]])
        try await world.playRollout()
        // The queue works in order: once a later change of the other Function is dealt with, so are those.
        try await world.playRollout("canary")
        try await world.eventually("canary") { $0.isReady }

        let sent = world.controllerAPI.requests.dropFirst(before)
        #expect(sent.filter { !$0.contains("canary") } == [])
        try await world.end()
    }

    @Test("What others change or delete is repaired")
    func driftIsRepaired() async throws {
        let world = try await World(on: backend)
        try await world.makeRuntimeClass()
        try await world.makeFunction(spec: "image: \(Self.image)")
        try await world.eventually { $0.reason == "RollingOut" }

        try await world.api.delete(NetworkPolicy.self, world.key())
        let everybody: JSONValue = ["spec": ["selector": ["farebox.dev/name": "other"]]]
        _ = try await world.api.patch(Service.self, world.key(), .merge(everybody))
        let unsafe: JSONValue = ["spec": ["template": ["spec": ["automountServiceAccountToken": true]]]]
        _ = try await world.api.patch(Deployment.self, world.key(), .merge(unsafe))

        try await world.eventually("the policy is back") { try await world.get(NetworkPolicy.self) != nil }
        try await world.eventually("the Service selects the function") {
            try await world.get(Service.self)?.spec.selector["farebox.dev/name"] == "hello"
        }
        try await world.eventually("no token is mounted") {
            try await world.get(Deployment.self)?.spec.template.spec.automountServiceAccountToken == false
        }
        try await world.end()
    }

    @Test("Without its RuntimeClass a Function stalls and does not run; with it, it does")
    func missingRuntimeClass() async throws {
        let world = try await World(on: backend)
        let name = world.runtimeClassName
        try await world.makeFunction(spec: "image: \(Self.image)")

        let stalled = try await world.eventually { $0.reason == "RuntimeClassMissing" }
        #expect(stalled.isStalled)
        #expect(stalled.message.contains(name))
        #expect(stalled.status?.conditions.condition("Sandboxed")?.status == .false)
        let isRunning = try await world.has(Deployment.self)
        #expect(!isRunning)

        try await world.makeRuntimeClass()
        try await world.eventually { $0.reason == "RollingOut" && !$0.isStalled }
        let deployment = try await world.get(Deployment.self)
        #expect(deployment?.spec.template.spec.runtimeClassName == name)
        try await world.end()
    }

    @Test("A Function waits for its Secret, naming it, and goes on when it comes")
    func missingSecret() async throws {
        let world = try await World(on: backend)
        try await world.makeRuntimeClass()
        try await world.makeFunction(spec: "image: \(Self.image)\nsecrets: [api-key]")

        let stalled = try await world.eventually { $0.reason == "SecretMissing" }
        #expect(stalled.message.contains("api-key"))
        let isRunning = try await world.has(Deployment.self)
        #expect(!isRunning)

        _ = try await world.api.create(Secret(metadata: ObjectMeta(name: "api-key", namespace: world.namespace)))
        try await world.eventually { $0.reason == "RollingOut" }
        try await world.end()
    }

    @Test("A Function that is switched off has no replica, says so, and comes back")
    func suspended() async throws {
        let world = try await World(on: backend)
        try await world.makeRuntimeClass()
        try await world.makeFunction(spec: "image: \(Self.image)\nreplicas: 2")
        try await world.eventually { $0.reason == "RollingOut" }
        try await world.playRollout()
        try await world.eventually { $0.isReady }

        _ = try await world.api.patch(Function.self, world.key(), .merge(["spec": ["suspend": true]]))
        try await world.eventually { $0.reason == "RollingOut" }
        try await world.playRollout()
        let off = try await world.eventually { $0.reason == "Suspended" }
        let replicasWhileOff = try await world.get(Deployment.self)?.spec.replicas
        _ = try await world.api.patch(Function.self, world.key(), .merge(["spec": ["suspend": false]]))
        try await world.eventually { $0.reason == "RollingOut" }
        try await world.playRollout()
        try await world.eventually { $0.isReady && $0.reason == "Available" }

        #expect(off.spec.replicas == 2, "the wish stays")
        #expect(replicasWhileOff == 0)
        try await world.end()
    }

    @Test("A tag is resolved once and stays pinned; an unknown one is asked for again")
    func tagIsPinned() async throws {
        let world = try await World(on: backend)
        try await world.makeRuntimeClass()
        try await world.makeFunction(spec: "image: registry.example.com/alex/hello:1")
        let stalled = try await world.eventually { $0.reason == "ImageUnresolvable" }
        #expect(stalled.message.contains("MANIFEST_UNKNOWN"))

        world.resolver.know("registry.example.com/alex/hello:1", FunctionFixtures.digest)
        try await world.eventually { $0.reason == "RollingOut" }
        let asked = world.resolver.references.count
        world.resolver.know("registry.example.com/alex/hello:1", "sha256:" + String(repeating: "cd", count: 32))
        _ = try await world.api.patch(Function.self, world.key(), .merge(["spec": ["replicas": 3]]))

        try await world.eventually("three replicas are wanted") {
            try await world.get(Deployment.self)?.spec.replicas == 3
        }
        let pinned = "registry.example.com/alex/hello:1@\(FunctionFixtures.digest)"
        let deployment = try await world.get(Deployment.self)
        #expect(deployment?.spec.template.spec.containers.first?.image == pinned)
        let function = try await world.get(Function.self)
        #expect(function?.status?.image == pinned)
        #expect(world.resolver.references.count == asked)
        try await world.end()
    }

    @Test("A tag that is deployed once more is looked up once more, and then pinned again")
    func redeployed() async throws {
        let world = try await World(on: backend)
        try await world.makeRuntimeClass()
        let other = "sha256:" + String(repeating: "cd", count: 32)
        let tag = "registry.example.com/alex/hello:1"
        world.resolver.know(tag, FunctionFixtures.digest)
        try await world.makeFunction(spec: "image: \(tag)")
        try await world.eventually { $0.reason == "RollingOut" }
        func deploy(_ asked: String) async throws {
            let annotations: JSONValue = ["annotations": [FareboxAnnotation.deployedAt: .string(asked)]]
            _ = try await world.api.patch(Function.self, world.key(), .merge(["metadata": annotations]))
            try await world.eventually("the Deployment is of that asking") {
                try await world.get(Deployment.self)?.metadata.annotations[FareboxAnnotation.deployedAt] == asked
            }
        }

        try await deploy("1")
        let same = try await world.get(Deployment.self)?.spec.template
        world.resolver.know(tag, other)
        try await deploy("2")
        let asked = world.resolver.references.count
        _ = try await world.api.patch(Function.self, world.key(), .merge(["spec": ["replicas": 3]]))
        try await world.eventually("three replicas are wanted") {
            try await world.get(Deployment.self)?.spec.replicas == 3
        }

        #expect(
            same?.spec.containers.first?.image == "\(tag)@\(FunctionFixtures.digest)",
            "the same image rolls nothing out")
        let deployment = try await world.get(Deployment.self)
        #expect(deployment?.spec.template.spec.containers.first?.image == "\(tag)@\(other)")
        #expect(world.resolver.references.count == asked)
        try await world.end()
    }

    @Test("An object of somebody else is never taken over")
    func nameTaken() async throws {
        let world = try await World(on: backend)
        try await world.makeRuntimeClass()
        let foreign = Service(
            metadata: ObjectMeta(name: "hello", namespace: world.namespace),
            spec: ServiceSpec(selector: ["app": "theirs"], ports: [ServicePort(port: 80)]))
        _ = try await world.api.create(foreign)
        try await world.makeFunction(spec: "image: \(Self.image)")

        let stalled = try await world.eventually { $0.reason == "NameTaken" }
        #expect(stalled.isStalled)
        #expect(stalled.message.contains("Service \(world.namespace)/hello"))
        let service = try await world.get(Service.self)
        #expect(service?.spec.selector == ["app": "theirs"])
        let isRunning = try await world.has(Deployment.self)
        #expect(!isRunning)

        try await world.api.delete(Service.self, world.key())
        try await world.eventually { $0.reason == "RollingOut" }
        try await world.end()
    }

    @Test("A change that cannot work is named and leaves what runs alone")
    func invalidChange() async throws {
        let world = try await World(on: backend)
        try await world.makeRuntimeClass()
        try await world.makeFunction(spec: "image: \(Self.image)")
        try await world.eventually { $0.reason == "RollingOut" }
        try await world.playRollout()
        try await world.eventually { $0.isReady }
        let before = try await world.get(Deployment.self)?.spec

        _ = try await world.api.patch(
            Function.self, world.key(), .merge(["spec": ["egress": ["10.0.0.0/8"], "port": 9000]]))

        let stalled = try await world.eventually { $0.reason == "Invalid" }
        #expect(stalled.message.contains("spec.egress[0]"))
        #expect(stalled.status?.conditions.condition("Available")?.status == .true)
        let after = try await world.get(Deployment.self)
        #expect(after?.spec == before)

        _ = try await world.api.patch(
            Function.self, world.key(), .merge(["spec": ["egress": "None", "scale": ["idleAfter": "5m"]]]))
        let refused = try await world.eventually {
            $0.reason == "Invalid" && $0.message.contains("spec.scale.idleAfter")
        }
        #expect(refused.message.contains("spec.scale.min"))
        try await world.end()
    }

    @Test("A Function that demands payment stalls where the cluster takes none, and runs where it takes some")
    func payments() async throws {
        let world = try await World(on: backend)
        try await world.makeRuntimeClass()
        let price = "{amount: 10, assetCode: XRP, assetScale: 9, calls: 1000}"
        try await world.makeFunction(spec: "image: \(Self.image)\npayment: {required: true, price: \(price)}")

        let stalled = try await world.eventually { $0.reason == "PaymentsNotConfigured" }
        let hasPods = try await world.has(Deployment.self)
        var configuration = world.configuration()
        configuration.payments = FunctionPaymentRules()
        try await world.restart(configuration)
        try await world.eventually { $0.reason == "RollingOut" }
        // What payments say of it stays, whatever the operator writes.
        _ = try await world.api.patch(
            Function.self, world.key(), .json([.add(path: "/status/balance", value: "7")]), subresource: "status")
        try await world.playRollout()
        let ready = try await world.eventually { $0.isReady }

        #expect(stalled.isStalled)
        #expect(stalled.status?.conditions.condition("Funded")?.reason == "PaymentsNotConfigured")
        #expect(!hasPods)
        #expect(ready.status?.balance == "7")
        try await world.end()
    }

    @Test("A crash loop is told with exit code and last words, and ends when the program stays")
    func crashLoop() async throws {
        let world = try await World(on: backend)
        try await world.makeRuntimeClass()
        try await world.makeFunction(spec: "image: \(Self.image)")
        try await world.eventually { $0.reason == "RollingOut" }
        try await world.playRollout(available: 0)

        try await world.playPod(
            "hello-1",
            status: [
                "phase": "Running",
                "containerStatuses": [
                    [
                        "name": "function", "ready": false, "restartCount": 3, "image": "x", "imageID": "",
                        "state": ["waiting": ["reason": "CrashLoopBackOff", "message": "back-off"]],
                        "lastState": [
                            "terminated": ["exitCode": 3, "reason": "Error", "message": "no DATABASE_URL\n"]
                        ],
                    ]
                ],
            ])

        let stalled = try await world.eventually { $0.reason == "CrashLoop" }
        #expect(stalled.message.contains("exit code 3"))
        #expect(stalled.message.contains("no DATABASE_URL"))
        #expect(stalled.status?.conditions.condition("Available")?.reason == "CrashLoop")

        try await world.playPod(
            "hello-1", status: ["phase": "Running", "conditions": [["type": "Ready", "status": "True"]]])
        try await world.playRollout()
        try await world.eventually { $0.isReady && !$0.isStalled }
        try await world.end()
    }

    @Test("A used-up quota is named, and left when there is room again")
    func quota() async throws {
        let world = try await World(on: backend)
        try await world.makeRuntimeClass()
        try await world.makeFunction(spec: "image: \(Self.image)")
        try await world.eventually { $0.reason == "RollingOut" }

        try await world.playRollout(
            available: 0,
            conditions: [
                Condition(
                    type: "ReplicaFailure", status: .true, reason: "FailedCreate",
                    message: #"pods "hello-1" is forbidden: exceeded quota: small, requested: cpu=50m"#)
            ])
        let stalled = try await world.eventually { $0.reason == "QuotaExceeded" }
        #expect(stalled.message.contains("exceeded quota: small"))

        try await world.playRollout()
        try await world.eventually { $0.isReady }
        try await world.end()
    }

    @Test("Registry credentials reach the nodes: only the image's own, and anew when they change")
    func pullCredentials() async throws {
        let world = try await World(on: backend, isStarted: false)
        var configuration = world.configuration()
        configuration.pullCredentials = SecretReference(namespace: world.namespace, name: "registry")
        func credentials(_ password: String) -> Base64Bytes {
            Base64Bytes(
                utf8:
                    #"{"auths": {"https://registry.example.com/v1/": {"auth": "\#(password)"}, "other": {"auth": "b"}}}"#
            )
        }
        func pulled() async throws -> String? {
            try await world.get(Secret.self, "hello-pull")?[PullCredentials.dataKey].map {
                String(decoding: $0, as: UTF8.self)
            }
        }
        try await world.makeRuntimeClass()
        _ = try await world.api.create(
            Secret(
                metadata: ObjectMeta(name: "registry", namespace: world.namespace), type: PullCredentials.secretType,
                data: [PullCredentials.dataKey: credentials("b25l")]))

        world.start(configuration)
        try await world.makeFunction(spec: "image: \(Self.image)")
        try await world.eventually { $0.reason == "RollingOut" }
        let deployment = try await world.get(Deployment.self)
        #expect(deployment?.spec.template.spec.imagePullSecrets == [LocalObjectReference(name: "hello-pull")])
        let held = try await pulled()
        #expect(held == #"{"auths":{"registry.example.com":{"auth":"b25l"}}}"#)

        let change = try JSONWriter().value(of: [PullCredentials.dataKey: credentials("dHdv")])
        _ = try await world.api.patch(Secret.self, world.key("registry"), .merge(["data": change]))

        try await world.eventually("the new password is there") { try await pulled()?.contains("dHdv") == true }
        let after = try await world.get(Deployment.self)
        #expect(after?.spec.template == deployment?.spec.template)
        try await world.end()
    }

    @Test("A write that fails at any point leads to the same end", arguments: 1...12)
    func failsAnywhere(number: Int) async throws {
        let fault: RecordingAPI.Fault = { count, _ in
            count == number
                ? .api(APIStatus(message: "etcdserver: request timed out", reason: .internalError, code: 500)) : nil
        }

        let world = try await World(on: .memory, fault: fault)
        try await world.makeRuntimeClass()
        try await world.makeFunction(spec: "image: \(Self.image)\nsecrets: [key]")
        _ = try await world.api.create(Secret(metadata: ObjectMeta(name: "key", namespace: world.namespace)))
        try await world.eventually { $0.reason == "RollingOut" }
        try await world.playRollout()

        try await world.eventually { $0.isReady }
        let isFenced = try await world.has(NetworkPolicy.self)
        #expect(isFenced)
        let isNamed = try await world.has(Service.self)
        #expect(isNamed)
        try await world.end()
    }
}
