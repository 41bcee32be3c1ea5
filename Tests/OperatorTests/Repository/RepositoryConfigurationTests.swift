import Builds
import CRDs
import FoundationEssentials
import KubernetesTypes
import Testing
import YAML

@testable import Operator

@Suite("The configuration of Repositories")
struct RepositoryConfigurationTests {
    private static let full = """
        git: {allowsPlainHTTP: true, allowsPrivateAddresses: true, timeout: 30s, concurrency: 2}
        registry:
          push: 10.99.0.1:5000
          insecure: [10.99.0.1:5000]
          mirrors: {docker.io: 10.99.0.1:5000}
          credentials: {namespace: farebox-system, name: registry}
        builder:
          image: 10.99.0.1:5000/farebox/builder:1
          artifactsURL: http://farebox-builder.farebox-system
          timeout: 10m
          egressCIDRs: [172.20.0.0/16]
          egressPorts: [3128]
        buildsNamespace: builds
        """

    private func decode(_ text: String) throws -> RepositoryClusterConfiguration {
        try YAMLReader(unknownKeys: .refuse).decode(RepositoryClusterConfiguration.self, from: Array(text.utf8))
    }

    @Test("is read from YAML, and each part gets to where it is used")
    func complete() throws {
        let configuration = try decode(Self.full)

        #expect(configuration.validate().isEmpty)
        #expect(configuration.gitConfiguration.allowsPlainHTTP)
        #expect(configuration.gitConfiguration.checkoutTimeout == .seconds(30))
        #expect(configuration.buildConfiguration.namespace == "builds")
        #expect(configuration.buildConfiguration.timeout == .seconds(600))
        #expect(configuration.buildConfiguration.mirrors == ["docker.io": "10.99.0.1:5000"])
        #expect(configuration.registry.credentials?.name == "registry")
        #expect(configuration.systemNamespace == "farebox-system")
    }

    @Test(
        "that is wrong is told by its field",
        arguments: [
            ("registry: {push: r}", "builder.image"), ("builder: {image: b}", "registry.push"),
            ("registry: {push: 'R/../x'}\nbuilder: {image: b}", "registry.push"),
            ("registry: {push: r}\nbuilder: {image: b, timeout: soon}", "builder.timeout"),
            ("registry: {push: r}\nbuilder: {image: b, artifactsURL: 'ftp://x'}", "builder.artifactsURL"),
            ("registry: {push: r}\nbuilder: {image: b}\ngit: {concurrency: 0}", "git.concurrency"),
        ])
    func wrong(text: String, field: String) throws {
        let problems = try decode(text).validate()

        #expect(problems.contains { $0.hasPrefix(field) }, "\(problems)")
    }

    @Test("with a key that nobody knows is refused with its line", arguments: ["git: {alowPlainHTTP: true}", "x: 1"])
    func unknown(text: String) {
        let error = #expect(throws: YAMLError.self) { try decode(text) }

        #expect("\(String(describing: error))".contains("line 1"))
    }

    @Test("fences builds: no way in, and out only to what a build needs")
    func policy() throws {
        var network = FunctionNetworkConfiguration()
        network.dns = FunctionDNSConfiguration(pods: nil, cidrs: [try #require(AddressRange("10.96.0.10/32"))])
        network.clusterCIDRs = [try #require(AddressRange("198.3.0.0/16"))]

        let policy = BuildNetworkPolicy(
            configuration: try decode(Self.full), network: network, supportsPortRanges: true
        ).policy

        try GoldenFile.expect(policy, matches: "build-network-policy.json")
    }
}
