import CRDs
import FoundationEssentials
import JSON
import KubernetesTypes
import Testing
import YAML

@testable import Operator

@Suite("Rendering of Functions")
struct RenderingTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        var function = "hello"
        var labels: [String: String] = [:]
        var annotations: [String: String] = [:]
        let spec: String
        var configuration = "{}"
        var sandbox: String? = "gvisor"
        var supportsPortRanges = true
        var pullsWithCredentials = false
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(name: "minimal", spec: "image: registry.example.com/alex/hello:1.0"),
        Case(
            name: "everything", function: "alex-hello",
            labels: [FareboxLabel.owner: "alex", FareboxLabel.function: "hello"],
            annotations: [FareboxAnnotation.owner: "Alex"],
            spec: """
                image: registry.example.com/alex/hello:1.0
                source: {repository: shop, commit: 0123456789012345678901234567890123456789, handler: ./hello, runtime: dockerfile}
                port: 3000
                environment: {MODE: test, TEMPLATE: "$(HOME) and $HOME"}
                secrets: [api-key, database]
                resources: {requests: {cpu: 100m}, limits: {memory: 512Mi}}
                replicas: 4
                scale: {min: 2, max: 3}
                runtimeClassName: kata
                egress: ["198.18.0.0/8", "2000::/3"]
                health: {path: /_/health, initialDelay: 1500ms, timeout: 5s, startTimeout: 5m}
                timeout: 2m30s
                maxInflight: 100
                readOnlyRootFilesystem: false
                labels: {team: blue}
                annotations: {topic: payments}
                """.replacing("198.18.0.0/8", with: "198.0.0.0/8"),
            configuration: """
                network:
                  clusterCIDRs: [198.3.0.0/16, 2a01:4f8::/48]
                  dns: {cidrs: [10.96.0.10/32, 169.254.20.10/32], ports: [53, 5353]}
                  dnsPolicy: None
                  dnsConfig: {nameservers: [10.96.0.10], options: [{name: ndots, value: "2"}]}
                """, sandbox: "kata", pullsWithCredentials: true),
        Case(name: "no-egress", spec: "image: x\negress: None"),
        Case(name: "without-port-ranges", spec: "image: x", supportsPortRanges: false),
        Case(name: "unsandboxed", function: "0x-hello", spec: "image: x\nreplicas: 0\nscale: {min: 0}", sandbox: nil),
    ]

    /// `Tests/OperatorTests/Golden` of this working copy.
    private static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Golden")

    @Test("Rendering gives the golden file; FAREBOX_UPDATE_GOLDEN=1 writes it anew", arguments: cases)
    func golden(test: Case) throws {
        let rendered = try Self.render(test)

        let file = Self.folder.appending(path: "\(test.name).yaml")
        if ProcessInfo.processInfo.environment["FAREBOX_UPDATE_GOLDEN"] == "1" {
            try Data(rendered.utf8).write(to: file)
        }
        let stored = try String(decoding: Data(contentsOf: file), as: UTF8.self)
        #expect(stored == rendered, "\(Self.firstDifference(stored, rendered))")
    }

    @Test("Rendering twice gives the same bytes")
    func deterministic() throws {
        let test = try #require(Self.cases.first { $0.name == "everything" })

        let first = try Self.render(test)

        #expect(try (0..<20).allSatisfy { _ in try Self.render(test) == first })
    }

    @Test("A change of anything in the pods changes the template's hash, a change of the number of replicas does not")
    func templateHash() throws {
        func hash(_ spec: String) throws -> String? {
            let children = FunctionChildren(
                function: try FunctionFixtures.function(spec: spec), configuration: FunctionClusterConfiguration())
            let image = PinnedImage("x", digest: FunctionFixtures.digest)
            let deployment = try children.deployment(image: image, sandbox: "gvisor", pullsWithCredentials: false)
            return deployment.spec.template.metadata.annotations[FunctionChildren.templateHash]
        }
        let base = try hash("image: x")

        #expect(base?.count == 16)
        #expect(try hash("image: x\nreplicas: 5") == base)
        #expect(try hash("image: x\nenvironment: {A: b}") != base)
        #expect(try hash("image: x\negress: None") == base)
        #expect(try hash("image: x\nsecrets: [a]") != base)
    }

    @Test(
        "A request is never above its limit, whichever of them is given",
        arguments: [
            ("image: x", "50m", "500m"), ("image: x\nresources: {limits: {cpu: 20m}}", "20m", "20m"),
            ("image: x\nresources: {requests: {cpu: \"1\"}}", "1", "1"),
            ("image: x\nresources: {requests: {cpu: 60m}, limits: {cpu: \"2\"}}", "60m", "2"),
        ])
    func resources(spec: String, request: String, limit: String) throws {
        let children = FunctionChildren(
            function: try FunctionFixtures.function(spec: spec), configuration: FunctionClusterConfiguration())

        let deployment = try children.deployment(
            image: PinnedImage("x", digest: FunctionFixtures.digest), sandbox: nil, pullsWithCredentials: false)

        let resources = try #require(deployment.spec.template.spec.containers.first?.resources)
        #expect(resources.requests["cpu"] == Quantity(request))
        #expect(resources.limits["cpu"] == Quantity(limit))
    }

    @Test("Labels of a tenant never replace those that policies select by")
    func labelsOfTenants() throws {
        let spec = "image: x\nlabels: {farebox.dev/name: other, app.kubernetes.io/component: gateway}"
        let children = FunctionChildren(
            function: try FunctionFixtures.function(spec: spec), configuration: FunctionClusterConfiguration())

        let deployment = try children.deployment(
            image: PinnedImage("x", digest: FunctionFixtures.digest), sandbox: nil, pullsWithCredentials: false)

        #expect(deployment.spec.template.metadata.labels[FareboxLabel.name] == "hello")
        #expect(deployment.spec.template.metadata.labels[FareboxLabel.component] == "function")
    }

    // MARK: - Helpers

    private static func render(_ test: Case) throws -> String {
        let function = try FunctionFixtures.function(
            test.function, labels: test.labels, annotations: test.annotations, spec: test.spec)
        let children = FunctionChildren(
            function: function, configuration: try FunctionFixtures.configuration(test.configuration))
        let image = PinnedImage(function.spec.image, digest: FunctionFixtures.digest)
        let objects = [
            try children.deployment(
                image: image, sandbox: test.sandbox, pullsWithCredentials: test.pullsWithCredentials
            ).manifest(),
            try children.service.manifest(),
            try children.networkPolicy(supportsPortRanges: test.supportsPortRanges).manifest(),
        ]
        return try objects.map { "---\n" + String(decoding: try YAMLWriter().encode($0), as: UTF8.self) }.joined()
    }

    private static func firstDifference(_ left: String, _ right: String) -> String {
        let left = left.split(separator: "\n", omittingEmptySubsequences: false)
        let right = right.split(separator: "\n", omittingEmptySubsequences: false)
        guard let line = (0..<max(left.count, right.count)).first(where: { at(left, $0) != at(right, $0) }) else {
            return "no difference"
        }
        return """
            line \(line + 1): the file says
            \(at(left, line) ?? "(end)")
            and rendering gives
            \(at(right, line) ?? "(end)")
            """
    }

    private static func at(_ lines: [Substring], _ index: Int) -> Substring? {
        lines.indices.contains(index) ? lines[index] : nil
    }
}
