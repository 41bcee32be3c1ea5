import CRDs
import KubernetesTypes
import Testing

@testable import Builds

@Suite("What a stack file sets for a function")
struct StackFieldsTests {
    /// A stack of one function `a` with these lines.
    private func function(
        _ lines: String, rules: StackRules = StackRules(), variables: [String: String] = [:]
    ) throws -> (function: StackFunction, ignored: [String]) {
        let text =
            "functions:\n  a:\n    lang: dockerfile\n    handler: a\n"
            + lines.split(separator: "\n").map { "    \($0)\n" }.joined()
        let stack = try StackFile(Array(text.utf8), name: "stack.yml", rules: rules, variables: variables)
        return (try #require(stack.functions.first), stack.ignored)
    }

    private func failure(_ lines: String, rules: StackRules = StackRules()) -> BuildFailure? {
        #expect(throws: BuildFailure.self) { try function(lines, rules: rules) }
    }

    // MARK: - Scale

    @Test(
        "OpenFaaS' labels become the Function's scale",
        arguments: [
            ("min: 2, max: 5", FunctionScale(min: 2, max: 5)), ("min: \"3\"", FunctionScale(min: 3)),
            ("zero: true", FunctionScale(min: 0, idleAfter: "15m")),
            ("zero: \"1\", min: 1, zero-duration: 5m", FunctionScale(min: 0, idleAfter: "5m")),
            ("zero: false, zero-duration: 5m", nil), ("zero: true, min: 2", FunctionScale(min: 2)), ("factor: 20", nil),
            ("min: 0", FunctionScale(min: 0)), ("target: 50", FunctionScale(targetConcurrency: 45)),
            ("target: 1", FunctionScale(targetConcurrency: 1)),
            ("target: 50, target-proportion: 0.5, type: capacity", FunctionScale(targetConcurrency: 25)),
            ("target: 100, down.window: 5m", FunctionScale(targetConcurrency: 90, downAfter: "5m")),
            ("target: 50, type: rps, down.window: 5m", nil), ("down.window: 5m", nil),
        ])
    func scale(labels: String, expected: FunctionScale?) throws {
        let text = labels.split(separator: ",").map { "com.openfaas.scale." + $0.drop { $0 == " " } }
            .joined(separator: ", ")

        let function = try function("labels: {\(text)}").function

        #expect(function.scale == expected)
        #expect(function.labels.isEmpty)
    }

    @Test(
        "A label about scaling that means nothing is refused with its place",
        arguments: [
            ("min: -1", "from 0 to 20"), ("min: 21", "from 0 to 20"), ("max: 0", "from 1 to 20"),
            ("max: many", "from 1"),
            ("zero: maybe", "true or false"), ("zero-duration: 5", "span of time"), ("zero-duration: 1s", "from 10s"),
            ("target: 0", "from 1 to 10000"), ("down.window: 2h", "up to 1h"), ("down.window: -1s", "up to 1h"),
            ("target-proportion: 0", "above 0"), ("target-proportion: nan", "above 0"),
            ("target-proportion: 1.1", "up to 1"), ("max: 99999999999", "from 1 to 20"),
        ])
    func badScale(label: String, message: String) {
        var rules = StackRules()
        rules.replicasMaximum = 20

        let failure = failure("labels:\n  com.openfaas.scale.\(label)", rules: rules)

        #expect(failure?.reason == .stackInvalid)
        #expect(failure?.message.contains(message) == true, "\(failure?.message ?? "")")
        #expect(failure?.message.contains("line 6, column") == true, "\(failure?.message ?? "")")
    }

    @Test("min above max is refused")
    func minAboveMax() {
        let failure = failure("labels: {com.openfaas.scale.min: 5, com.openfaas.scale.max: 2}")

        #expect(failure?.message.contains("below") == true, "\(failure?.message ?? "")")
    }

    @Test("Where the cluster allows fewer replicas than load would add by default, it adds no more than that")
    func boundedLoad() throws {
        var rules = StackRules()
        rules.replicasMaximum = 5

        let function = try function("labels: {com.openfaas.scale.target: 10}", rules: rules).function

        #expect(function.scale == FunctionScale(max: 5, targetConcurrency: 9))
    }

    @Test("Labels about scaling and the annotation about payment make a Function that stands")
    func scaledAndPaid() throws {
        let (function, ignored) = try function(
            """
            labels:
              com.openfaas.scale.zero: "true"
              com.openfaas.scale.zero-duration: 15m
              com.openfaas.scale.target: 50
            annotations:
              interledger.org/payment-pointer: $wallet.example.com/alice
            """)

        let spec = function.specification(owner: OwnerName("alice"), image: "i", source: FunctionSource())
        #expect(Function(metadata: ObjectMeta(name: "a"), spec: spec).validate().isEmpty)
        #expect(function.scale == FunctionScale(min: 0, targetConcurrency: 45, idleAfter: "15m"))
        #expect(function.annotations == ["interledger.org/payment-pointer": "$wallet.example.com/alice"])
        #expect(spec.payment == FunctionPayment(paymentPointer: "$wallet.example.com/alice"))
        #expect(ignored.isEmpty, "\(ignored)")
    }

    // MARK: - Health and payment

    @Test("Annotations about health become the Function's health check")
    func health() throws {
        let function = try function(
            """
            annotations:
              com.openfaas.health.http.path: /healthz
              com.openfaas.health.http.initialDelay: 30s
              com.openfaas.ready.http.path: /ready
              com.openfaas.ready.http.initialDelay: 5s
            """
        ).function

        #expect(function.health == FunctionHealth(path: "/healthz", readyPath: "/ready", initialDelay: "30s"))
    }

    @Test("A wait that is none is refused at the annotations")
    func badHealth() {
        let failure = failure("annotations: {com.openfaas.health.http.initialDelay: soon}")

        #expect(failure?.message.contains("health.initialDelay") == true, "\(failure?.message ?? "")")
        #expect(failure?.message.contains("line 5") == true, "\(failure?.message ?? "")")
    }

    @Test("Annotations about trying again become the Function's rules for calls that do not wait")
    func retries() throws {
        let function = try function(
            """
            annotations:
              com.openfaas.retry.attempts: "3"
              com.openfaas.retry.codes: 503, 429,429
              com.openfaas.retry.min_wait: 5s
              com.openfaas.retry.max_wait: 1m
            """
        ).function

        #expect(
            function.async
                == FunctionAsync(attempts: 3, retryMinimum: "5s", retryMaximum: "1m", retryStatuses: [429, 503]))
        #expect(function.annotations.isEmpty)
    }

    @Test(
        "A rule about trying again that means nothing is refused with its place",
        arguments: [
            ("attempts", "often"), ("attempts", "0"), ("codes", "429;503"), ("codes", "200"), ("codes", "','"),
            ("min_wait", "soon"), ("max_wait", "48h"),
        ])
    func badRetries(key: String, value: String) {
        let failure = failure("annotations:\n  com.openfaas.retry.\(key): \(value)")

        #expect(failure?.message.contains("line ") == true, "\(failure?.message ?? "")")
    }

    @Test("A payment pointer that is none is refused with its place")
    func badPointer() {
        let failure = failure("annotations:\n  interledger.org/payment-pointer: http://169.254.169.254/")

        #expect(failure?.message.contains("line 6, column") == true, "\(failure?.message ?? "")")
        #expect(failure?.message.contains("payment pointer") == true)
    }

    // MARK: - Bounds

    @Test(
        "Amounts above the cluster's maximum are refused, naming field and maximum",
        arguments: [
            ("limits: {memory: 8Gi}", "limits.memory: 8Gi is above this cluster's maximum of 4Gi"),
            ("limits: {cpu: 4001m}", "limits.cpu: 4001m is above this cluster's maximum of 4"),
            ("requests: {memory: 5G}", "requests.memory: 5G is above"),
            ("requests: {cpu: 5}", "requests.cpu: 5 is above"),
        ])
    func maximums(line: String, message: String) {
        var rules = StackRules()
        rules.cpuMaximum = Quantity("4")
        rules.memoryMaximum = Quantity("4Gi")

        let failure = failure(line, rules: rules)

        #expect(failure?.reason == .stackInvalid)
        #expect(failure?.message.contains("functions.a." + message) == true, "\(failure?.message ?? "")")
        #expect(failure?.message.contains("line 5, column") == true)
    }

    @Test("Amounts at the maximum are taken")
    func atMaximum() throws {
        var rules = StackRules()
        rules.memoryMaximum = Quantity("4Gi")

        let function = try function("limits: {memory: 4096Mi}", rules: rules).function

        #expect(function.resources?.limits?.memory == Quantity("4Gi"))
    }

    // MARK: - Builds

    @Test("Runtimes go by their names, Dockerfiles by any case, and neither goes when it is not there")
    func runtimes() throws {
        var rules = StackRules()
        rules.runtimes = ["python3-http", "node"]
        func stack(_ language: String, _ rules: StackRules) throws -> StackFile {
            try StackFile(
                Array("functions: {a: {lang: \(language), handler: a}}".utf8), name: "stack.yml", rules: rules)
        }
        var strict = rules
        strict.allowsDockerfile = false

        #expect(try stack("python3-http", rules).functions.first?.runtime == "python3-http")
        #expect(try stack("DockerFile", rules).functions.first?.runtime == "dockerfile")
        for (language, rules, known) in [
            ("Node", rules, "known: dockerfile, node, python3-http"),
            ("dockerfile", strict, "known: node, python3-http"),
            ("Dockerfile", strict, "known: node, python3-http"), ("go@1.2", rules, "known: dockerfile"),
        ] {
            let failure = #expect(throws: BuildFailure.self) { try stack(language, rules) }
            #expect(failure?.reason == .runtimeUnknown)
            #expect(failure?.message.contains(known) == true, "\(failure?.message ?? "")")
            #expect(failure?.message.contains("line 1, column 23") == true, "\(failure?.message ?? "")")
        }
    }

    @Test("An image that is there already is run when the cluster allows it")
    func skipBuild() throws {
        var rules = StackRules()
        rules.allowedImages = ["registry.example.com/team/*"]

        let function = try function("skip_build: true\nimage: registry.example.com/team/shop:1.0", rules: rules)
            .function

        #expect(function.skipsBuild)
        #expect(function.image == "registry.example.com/team/shop:1.0")
    }

    @Test(
        "An image that is no full reference, or is not allowed, is refused",
        arguments: [
            ("registry.example.com/other/shop:1.0", "allowed: registry.example.com/team/*"),
            ("shop:1.0", "full reference"),
            ("team/shop:1.0", "full reference"), ("registry.example.com/team/shop", "full reference"),
            ("", "full reference"),
            ("registry.example.com/team/../shop:1", "full reference"), ("docker.io/library/debian:12", "allowed:"),
        ])
    func refusedImage(image: String, message: String) {
        var rules = StackRules()
        rules.allowedImages = ["registry.example.com/team/*"]

        let failure = failure("skip_build: true\nimage: \"\(image)\"", rules: rules)

        #expect(failure?.reason == .stackInvalid)
        #expect(failure?.message.contains(message) == true, "\(failure?.message ?? "")")
    }

    @Test("Build options and arguments are kept for the runtime")
    func buildOptions() throws {
        let function = try function("build_options: [dev, debug]\nbuild_args: {A: 1}").function

        #expect(function.buildOptions == ["dev", "debug"])
        #expect(function.buildArguments == ["A": "1"])
    }

    @Test("What faas-cli knows and nothing here acts on is told, with its place")
    func inert() throws {
        let ignored = try function(
            "constraints: [a=b]\nnamespace: kube-system\nplatforms: linux/arm64\nbuild_secrets: {a: b}\nregistry_auth: x"
        ).ignored

        for key in ["constraints", "namespace", "platforms", "build_secrets", "registry_auth"] {
            #expect(ignored.contains { $0.hasPrefix("functions.a.\(key) (line ") }, "\(ignored)")
        }
    }

    // MARK: - Variables

    @Test("Variables are replaced before the file is read, and only those that are given")
    func variables() throws {
        let function = try function(
            """
            image: ${FAREBOX_OWNER,,}/a:${TAG:-1.0}
            environment:
              COMMIT: ${FAREBOX_COMMIT:0:7}
              HOME: "${HOME}"
              LITERAL: $${HOME} $HOME
            """, variables: ["FAREBOX_OWNER": "Alice", "FAREBOX_COMMIT": "0123456789"]
        ).function

        #expect(function.image == "alice/a:1.0")
        #expect(function.environment == ["COMMIT": "0123456", "HOME": "", "LITERAL": "${HOME} $HOME"])
    }

    @Test("A wrong substitution is refused with its place, in a comment too")
    func badSubstitution() {
        let failure = failure("# see ${v-d}")

        #expect(failure?.reason == .stackInvalid)
        #expect(failure?.message.contains("stack.yml line 5, column 11: ${…}") == true, "\(failure?.message ?? "")")
    }
}
