import Builds
import CRDs
import HTTP
import JSON
import KubernetesTypes
import Testing
import Timing

@testable import AdminService

@Suite("What clients of OpenFaaS deploy")
struct FunctionDeploymentTests {
    private static let rules = StackRules(allowedLabels: ["team"], allowedAnnotations: ["topic"])

    /// As faas-cli writes it, with everything set.
    private static let full = """
        {"service":"hello","image":"registry.example.com/hello:latest","namespace":"team-a","network":"","envProcess":"node index.js",
        "envVars":{"A":"1","EMPTY":""},"constraints":["kubernetes.io/arch=amd64"],"secrets":["db","db","api"],
        "labels":{"team":"shop","com.openfaas.scale.min":"2","com.openfaas.scale.max":"5","com.openfaas.fprocess":"x"},
        "annotations":{"topic":"orders","com.openfaas.health.http.path":"/ping","note":"kept"},
        "limits":{"memory":"128Mi","cpu":"500m","nvidia.com/gpu":"1"},"requests":{"memory":"64Mi"},
        "readOnlyRootFilesystem":true,"registryAuth":"x","unknown":{"a":[1]}}
        """

    private func deployment(_ text: String) throws -> FunctionDeployment { try FunctionDeployment(Array(text.utf8)) }

    private func function(_ spec: FunctionSpec = FunctionSpec(image: "old")) -> Function {
        Function(metadata: ObjectMeta(name: "hello", namespace: "team-a"), spec: spec)
    }

    @Test("Rules about trying again come and go with their annotations, and what the object says besides stays")
    func retries() throws {
        var function = function()
        function.spec.async = FunctionAsync(concurrency: 1)

        let text = #"{"service":"hello","image":"i","annotations":{"com.openfaas.retry.attempts":"3"}}"#
        let notes = try deployment(text).apply(to: &function, rules: Self.rules)
        let with = function.spec.async
        _ = try deployment(#"{"service":"hello","image":"i"}"#).apply(to: &function, rules: Self.rules)

        #expect(notes.isEmpty, "\(notes)")
        #expect(with == FunctionAsync(concurrency: 1, attempts: 3))
        #expect(function.spec.async == FunctionAsync(concurrency: 1))
        #expect(throws: AdminRefusal.self) {
            try deployment(text.replacing("3", with: "often")).apply(to: &function, rules: Self.rules)
        }
    }

    @Test("A deployment becomes a Function, and comes back as it was sent")
    func roundTrip() throws {
        var function = function()

        let notes = try deployment(Self.full).apply(to: &function, rules: Self.rules)
        let report = FunctionReport(function: function).json

        #expect(function.spec.image == "registry.example.com/hello:latest")
        #expect(function.spec.environment == ["A": "1", "EMPTY": "", "fprocess": "node index.js"])
        #expect(function.spec.secrets == ["db", "api"])
        #expect(function.spec.labels == ["team": "shop"])
        #expect(function.spec.annotations == ["topic": "orders"])
        #expect(function.spec.scale == FunctionScale(min: 2, max: 5))
        #expect(function.spec.health?.path == "/ping")
        #expect(function.spec.resources?.limits?.cpu == Quantity("500m"))
        #expect(function.spec.readOnlyRootFilesystem == true)
        #expect(function.identity == nil, "a client cannot say who owns a function")
        let sent = try JSONReader().parse(Self.full)
        for key in ["image", "namespace", "envProcess", "envVars", "constraints", "labels", "annotations"] {
            #expect(report[key] == sent[key], "\(key)")
        }
        #expect(report["name"] == "hello")
        #expect(report["secrets"] == ["db", "api"])
        #expect(report["limits"] == ["memory": "128Mi", "cpu": "500m"])
        #expect(report["requests"] == ["memory": "64Mi"])
        #expect(report["replicas"] == 2)
        #expect(report["availableReplicas"] == 0)
        #expect(notes.contains { $0.hasPrefix("limits.nvidia.com/gpu:") })
        #expect(notes.contains { $0.hasPrefix("labels.com.openfaas.fprocess:") })
        #expect(notes.contains { $0.hasPrefix("annotations.note:") })
        #expect(notes.contains { $0.hasPrefix("constraints:") })
        #expect(notes.count == 4)
    }

    @Test("The least that a client can send is enough; null is nothing")
    func least() throws {
        var function = function()
        let text = """
            {"service":"hello","image":"i","envVars":null,"constraints":null,"secrets":null,"labels":null,"annotations":null,
            "limits":null,"requests":{"memory":""},"readOnlyRootFilesystem":null,"namespace":""}
            """

        let notes = try deployment(text).apply(to: &function, rules: Self.rules)
        let report = FunctionReport(function: function).json

        #expect(notes.isEmpty)
        #expect(function.spec == FunctionSpec(image: "i"))
        #expect(try deployment(text).namespace == nil)
        #expect(function.metadata.annotations[FareboxAnnotation.client] == nil)
        #expect(report["labels"] == [:] && report["annotations"] == [:])
        #expect(report["createdAt"] == nil, "an empty time cannot be read")
        #expect(report["invocationCount"] == 0)
    }

    @Test("A port that is said by the annotation counts, is on no pod, and is taken back with it")
    func port() throws {
        var function = function()
        let text = #"{"service":"hello","image":"i","annotations":{"farebox.dev/port":"3000"}}"#
        let least = #"{"service":"hello","image":"i"}"#

        let notes = try deployment(text).apply(to: &function, rules: Self.rules)
        let first = (function.spec.port, function.spec.annotations)
        _ = try deployment(least).apply(to: &function, rules: Self.rules)

        #expect(notes.isEmpty)
        #expect(first.0 == 3000 && first.1.isEmpty)
        #expect(function.spec.port == nil)
        #expect(throws: AdminRefusal.self) {
            var function = function
            _ = try deployment(text.replacing("3000", with: "70000")).apply(to: &function, rules: Self.rules)
        }
    }

    @Test("A port that somebody set in the object stays where clients say nothing of it")
    func ownPort() throws {
        var function = function()
        function.spec.port = 9000

        _ = try deployment(#"{"service":"hello","image":"i"}"#).apply(to: &function, rules: Self.rules)

        #expect(function.spec.port == 9000)
    }

    @Test("Our own clients are told whether the version there is works, and why not")
    func state() throws {
        func report(_ status: String, generation: Int64 = 2) throws -> JSONValue? {
            var function = function()
            function.metadata.generation = generation
            function.status = try JSONReader().decode(FunctionStatus.self, from: try JSONReader().parse(status))
            return FunctionReport(function: function).json["farebox"]
        }
        let ready = #"{"type":"Ready","status":"True","reason":"Available","message":""}"#
        let stalled = #"{"type":"Stalled","status":"True","reason":"SecretMissing","message":"no Secret db"}"#

        let works = try report(#"{"observedGeneration":2,"conditions":[\#(ready)]}"#)
        let former = try report(#"{"observedGeneration":1,"conditions":[\#(ready)]}"#)
        let broken = try report(#"{"observedGeneration":2,"conditions":[\#(stalled)]}"#)

        #expect(works == ["ready": true, "stalled": false, "reason": "Available", "message": ""])
        #expect(former == ["ready": false, "stalled": false, "reason": "", "message": ""])
        #expect(
            broken == ["ready": false, "stalled": true, "reason": "SecretMissing", "message": "no Secret db"])
    }

    @Test("A second deployment takes back what the first said, and nothing that others did")
    func replaced() throws {
        var function = function()
        function.spec.egress = Egress.none
        function.spec.timeout = "5s"
        function.spec.replicas = 3
        _ = try deployment(Self.full).apply(to: &function, rules: Self.rules)
        let first = function.metadata.annotations[FareboxAnnotation.deployedAt]

        let small = try deployment(#"{"service":"hello","image":"new"}"#)
        _ = try small.apply(to: &function, rules: Self.rules, now: .now + .seconds(5))

        var expected = FunctionSpec(image: "new")
        expected.egress = Egress.none
        expected.timeout = "5s"
        expected.replicas = 3
        #expect(function.spec == expected)
        #expect(function.metadata.annotations[FareboxAnnotation.client] == nil)
        #expect(function.metadata.annotations[FareboxAnnotation.deployedAt] != first, "the tag is looked up anew")

        function.spec.scale = FunctionScale(min: 0)
        _ = try small.apply(to: &function, rules: Self.rules)
        #expect(function.spec.scale == FunctionScale(min: 0), "what somebody set in the object stays")
    }

    @Test(
        "What cannot work is told with its field",
        arguments: [
            (#"{"service":"Hello","image":"i"}"#, "service"), (#"{"image":"i"}"#, "service"),
            (#"{"service":"-a","image":"i"}"#, "service"), (#"{"service":"a.b","image":"i"}"#, "service"),
            (#"{"service":"a/../b","image":"i"}"#, "service"), (#"{"service":"a"}"#, "image"),
            (#"{"service":"a","image":""}"#, "image"), (#"{"service":"a","image":"i","envVars":[]}"#, "envVars"),
            (#"{"service":"a","image":"i","envVars":{"A":1}}"#, "envVars.A"),
            (#"{"service":"a","image":"i","envVars":{"1A":"x"}}"#, "spec.environment.1A"),
            (#"{"service":"a","image":"i","secrets":"db"}"#, "secrets"),
            (#"{"service":"a","image":"i","secrets":[1]}"#, "secrets"),
            (#"{"service":"a","image":"i","labels":{"com.openfaas.scale.min":"many"}}"#, "com.openfaas.scale.min"),
            (#"{"service":"a","image":"i","labels":{"team":"a b"}}"#, "spec.labels.team"),
            (#"{"service":"a","image":"i","limits":{"memory":"lots"}}"#, "limits.memory"),
            (#"{"service":"a","image":"i","limits":{"cpu":"64"}}"#, "limits.cpu"),
            (#"{"service":"a","image":"i","limits":{"cpu":"0"}}"#, "spec.resources.limits.cpu"),
            (#"{"service":"a","image":"i","readOnlyRootFilesystem":"yes"}"#, "readOnlyRootFilesystem"),
            (#"{"service":"a","image":"i","annotations":{"interledger.org/payment-pointer":"me"}}"#, "payment-pointer"),
            ("[]", "object"), ("", "JSON"), ("{", "JSON"), (#"{"service":"a","service":"b","image":"i"}"#, "JSON"),
            (String(repeating: "[", count: 1000), "JSON"), ("{\"service\":\"\u{0}\"}", "JSON"),
        ])
    func wrong(text: String, word: String) {
        var rules = Self.rules
        rules.cpuMaximum = Quantity(8)
        var function = function()

        let refusal = #expect(throws: AdminRefusal.self) {
            _ = try deployment(text).apply(to: &function, rules: rules)
        }

        #expect(refusal?.status == .badRequest)
        #expect(refusal?.text.contains(word) == true, "\(refusal?.text ?? "")")
    }

    @Test("A Function of a Repository is the Repository's")
    func owned() {
        var byLabel = function()
        byLabel.metadata.labels[FareboxLabel.repository] = "shop"
        var bySource = function()
        bySource.spec.source = FunctionSource(repository: "shop")

        #expect(FunctionOwnership.trouble(with: byLabel)?.contains("shop") == true)
        #expect(FunctionOwnership.trouble(with: bySource)?.contains("shop") == true)
        #expect(FunctionOwnership.trouble(with: function()) == nil)
    }

    @Test("A log's line is what OpenFaaS writes")
    func line() throws {
        let line = LogLine(time: "2026-01-31T12:00:00.123456789Z", text: Array("a \"b\"".utf8))

        let bytes = AdminHandler.encoded(line, ObjectKey(namespace: "n", name: "f"), "f-1")

        #expect(
            String(decoding: bytes, as: UTF8.self) == """
                {"instance":"f-1","name":"f","namespace":"n","text":"a \\"b\\"\\n","timestamp":"2026-01-31T12:00:00.123456789Z"}

                """)
    }
}
