import CRDs
import KubernetesTypes
import Testing
import Timing

@testable import Operator

@Suite("Domains of functions")
struct DomainTests {
    private func function(
        _ name: String, namespace: String = "team-a", owner: String? = nil, domains: [String], created: Int64 = 0
    ) -> Function {
        var metadata = ObjectMeta(name: name, namespace: namespace)
        if let owner { metadata.annotations[FareboxAnnotation.owner] = owner }
        metadata.creationTimestamp = Time(Timestamp(secondsSinceEpoch: 1_800_000_000 + created))
        var spec = FunctionSpec(image: "i")
        spec.domains = domains
        return Function(metadata: metadata, spec: spec)
    }

    private func configuration(_ grants: [DomainGrant]) -> FunctionClusterConfiguration {
        var configuration = FunctionClusterConfiguration()
        configuration.rootDomain = "farebox.example"
        configuration.domains = grants
        return configuration
    }

    @Test(
        "A grant is for whose it names, and for nobody else",
        arguments: [
            ("shop.example.com", "alice", "team-a", true), ("shop.example.com", "Alice", "team-b", true),
            ("shop.example.com", "bob", "team-a", false), ("shop.example.com", nil, "team-a", false),
            ("a.alice.dev", "alice", "team-a", true), ("a.b.alice.dev", "alice", "team-a", true),
            ("alice.dev", "alice", "team-a", false), ("xalice.dev", "alice", "team-a", false),
            ("team.example", nil, "team-a", true), ("team.example", "bob", "team-a", true),
            ("team.example", "alice", "team-b", false), ("x.farebox.example", "alice", "team-a", false),
            ("farebox.example", "alice", "team-a", false), ("other.example", "alice", "team-a", false),
        ] as [(String, String?, String, Bool)])
    func grants(domain: String, owner: String?, namespace: String, expected: Bool) {
        let grants = [
            DomainGrant(
                owner: "alice", domains: ["shop.example.com", "*.alice.dev", "*.farebox.example", "farebox.example"]),
            DomainGrant(namespace: "team-a", domains: ["team.example"]),
            DomainGrant(domains: ["other.example"]),
        ]

        let verdict = DomainVerdict(
            function("f", namespace: namespace, owner: owner, domains: [domain]), configuration(grants)
        ) { _ in [] }

        #expect(verdict.served == (expected ? [domain] : []))
        #expect(verdict.notAllowed == (expected ? [] : [domain]))
    }

    @Test("Of several that may have a domain the oldest has it, and the others are told who")
    func rivals() {
        let configuration = configuration([DomainGrant(namespace: "team-a", domains: ["*.example.com"])])
        let old = function("old", domains: ["a.example.com"], created: 1)
        let young = function("young", domains: ["b.example.com", "a.example.com"], created: 2)
        let stranger = function("stranger", namespace: "team-b", domains: ["a.example.com", "b.example.com"])
        let rivals = { (_: String) in [young, old, stranger] }

        let first = DomainVerdict(old, configuration, rivals: rivals)
        let second = DomainVerdict(young, configuration, rivals: rivals)
        let third = DomainVerdict(stranger, configuration, rivals: rivals)

        #expect(first.served == ["a.example.com"] && first.trouble == nil)
        #expect(second.served == ["b.example.com"])
        #expect(second.taken == [.init(domain: "a.example.com", holder: old.key)])
        #expect(second.trouble?.reason == .domainTaken)
        #expect(second.trouble?.message.contains("team-a/old") == true)
        #expect(third.served.isEmpty && third.trouble?.reason == .domainNotAllowed)
    }

    @Test(
        "What is no domain is refused by name",
        arguments: [
            "localhost", "10.0.0.1", "a.1", "*.example.com", "Shop.example.com", "a..b", "-a.b", "a.b:80", "é.com",
        ])
    func invalid(domain: String) {
        let violations = function("f", domains: ["good.example.com", domain]).validate()

        #expect(violations.map(\.path) == ["spec.domains[1]"])
    }

    @Test("A grant that names nobody or no domain is a problem")
    func problems() {
        #expect(configuration([DomainGrant(owner: "a", domains: ["a.example", "*.b.example"])]).validate().isEmpty)
        #expect(configuration([DomainGrant(domains: ["a.example"])]).validate().count == 1)
        #expect(configuration([DomainGrant(owner: "a", domains: ["*", "a.*.b", "localhost"])]).validate().count == 3)
    }
}
