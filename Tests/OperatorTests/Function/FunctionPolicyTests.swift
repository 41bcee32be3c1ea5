import CRDs
import KubernetesTypes
import Testing

@testable import Operator

@Suite("What a cluster allows its functions")
struct FunctionPolicyTests {
    @Test(
        "Rules of the cluster name the field",
        arguments: [
            ("image: x\nlabels: {team: blue}", "{}", nil),
            ("image: x\nlabels: {tier: web}", "{}", "spec.labels.tier"),
            ("image: x\nlabels: {tier: web}", "allowedLabels: [tier]", nil),
            ("image: x\nlabels: {tier: web}", "allowedLabels: [ti*]", nil),
            ("image: x\nlabels: {role: openfaas-system}", "allowedLabels: ['*']", "spec.labels.role"),
            ("image: x\nannotations: {com.openfaas.health.http.path: /h}", "{}", nil),
            ("image: x\nannotations: {cluster-autoscaler: x}", "{}", "spec.annotations.cluster-autoscaler"),
            ("image: x\negress: [198.51.101.0/24]", "{}", nil),
            ("image: x\negress: [10.1.0.0/16]", "{}", "spec.egress[0]"),
            ("image: x\negress: [169.254.169.254/32]", "{}", "spec.egress[0]"),
            ("image: x\negress: ['fd00::/8']", "{}", "spec.egress[0]"),
            ("image: x\negress: ['64:ff9b::/96']", "{}", "spec.egress[0]"),
            ("image: x\negress: [10.1.0.0/16]", "network: {allowedPrivateCIDRs: [10.0.0.0/8]}", nil),
            ("image: x\negress: [10.0.0.0/7]", "{}", nil),
            ("image: x\negress: [8.8.8.0/24]", "network: {clusterCIDRs: [8.8.0.0/16]}", "spec.egress[0]"),
            ("image: x\nresources: {limits: {cpu: 5}}", "{}", "spec.resources.limits.cpu"),
            ("image: x\nresources: {limits: {memory: 8Gi}}", "resources: {memoryMaximum: 8Gi}", nil),
        ] as [(String, String, String?)])
    func violations(spec: String, configuration: String, path: String?) throws {
        let policy = FunctionPolicy(configuration: try FunctionFixtures.configuration(configuration))

        let violations = policy.violations(of: try FunctionFixtures.function(spec: spec))

        #expect(violations.map(\.path) == [path].compactMap { $0 })
    }

    @Test(
        "The sandbox is the function's, else the cluster's, and never none by accident",
        arguments: [
            (nil, "{}", .runtimeClass("gvisor")),
            ("kata", "{}", .runtimeClass("kata")),
            ("missing", "{}", .refused(.runtimeClassMissing, "")),
            (nil, "runtimeClassName: missing", .refused(.runtimeClassMissing, "")),
            (nil, "runtimeClassName: missing\nallowsUnsandboxed: true", .refused(.runtimeClassMissing, "")),
            ("kata", "allowedRuntimeClasses: [other]", .refused(.runtimeClassNotAllowed, "")),
            ("gvisor", "allowedRuntimeClasses: [other]", .runtimeClass("gvisor")),
            ("kata", "allowedRuntimeClasses: [kata]", .runtimeClass("kata")),
        ] as [(String?, String, FunctionSandbox)])
    func sandbox(requested: String?, configuration: String, expected: FunctionSandbox) throws {
        let configuration = try FunctionFixtures.configuration(configuration)

        let sandbox = FunctionSandbox.choose(requested, configuration) { ["gvisor", "kata"].contains($0) }

        #expect(sandbox.withoutMessage == expected)
    }

    @Test("Without any RuntimeClass named, only the administrator's word lets a function run")
    func unset() {
        var configuration = FunctionClusterConfiguration()
        configuration.runtimeClassName = nil

        let refused = FunctionSandbox.choose(nil, configuration) { _ in true }
        configuration.allowsUnsandboxed = true
        let allowed = FunctionSandbox.choose(nil, configuration) { _ in true }

        #expect(refused.withoutMessage == .refused(.runtimeClassUnset, ""))
        #expect(allowed == .unsandboxed)
    }

    @Test(
        "A URL is on the owner's host when there is one, else by object name",
        arguments: [
            ("Alex", "{}", "http://localhost:8080/function/alex-hello.functions"),
            ("Alex", "rootDomain: fn.example.com", "http://alex.fn.example.com:8080/hello"),
            (
                "Alex", "rootDomain: fn.example.com\npublicURL: https://gw.example.com/",
                "https://alex.fn.example.com/hello"
            ),
            ("Alex", "rootDomain: x.test\npublicURL: 'http://[::1]:81'", "http://alex.x.test:81/hello"),
            ("Alex", "rootDomain: x.test\npublicURL: 'http://[::1]'", "http://alex.x.test/hello"),
            (nil, "rootDomain: fn.example.com", "http://localhost:8080/function/alex-hello.functions"),
            ("a_b", "rootDomain: fn.example.com", "http://localhost:8080/function/alex-hello.functions"),
        ] as [(String?, String, String)])
    func url(owner: String?, configuration: String, expected: String) throws {
        var annotations = [FareboxAnnotation.function: "hello"]
        annotations[FareboxAnnotation.owner] = owner
        let function = try FunctionFixtures.function("alex-hello", annotations: annotations, spec: "image: x")

        let url = FunctionURL.url(of: function, try FunctionFixtures.configuration(configuration))

        #expect(url == expected)
    }

    @Test(
        "A configuration that cannot work is refused with the field's name",
        arguments: [
            ("{}", nil), ("timeout: 2h", "timeout"), ("timeout: soon", "timeout"), ("userID: 0", "userID"),
            ("publicURL: gateway", "publicURL"), ("rootDomain: A_B", "rootDomain"),
            ("network: {dnsPolicy: Host}", "network.dnsPolicy"), ("network: {dnsPolicy: None}", "network.dnsConfig"),
            ("network: {gateway: {namespace: a, podLabels: {}}}", "network.gateway.podLabels"),
            ("network: {egressPortsWithoutRanges: [25]}", "network.egressPortsWithoutRanges"),
            ("resources: {memoryRequest: 1Gi}", "resources.memoryRequest"),
        ] as [(String, String?)])
    func configuration(yaml: String, field: String?) throws {
        let configuration = try FunctionFixtures.configuration(yaml)

        let problems = configuration.validate()

        #expect(problems.map { $0.prefix { $0 != ":" } } == [field].compactMap { $0 }.map { $0[...] })
    }

    @Test(
        "An unknown key, or a range that is none, is refused on reading",
        arguments: ["runtimeClass: gvisor", "network: {clusterCIDR: []}", "network: {clusterCIDRs: [10.0.0.1/8]}"])
    func malformedConfiguration(yaml: String) {
        #expect(throws: (any Error).self) { try FunctionFixtures.configuration(yaml) }
    }
}

extension FunctionSandbox {
    /// The decision without its words.
    fileprivate var withoutMessage: FunctionSandbox {
        if case .refused(let reason, _) = self { .refused(reason, "") } else { self }
    }
}
