import CRDs
import DNS
import KubernetesTypes
import MemoryCluster
import Testing

@testable import Operator

@Suite("Proofs of domains, by the controllers", .timeLimit(.minutes(10)))
struct DomainProofScenarios {
    private let image = FunctionScenarios.image

    private func configuration(_ world: World) -> FunctionClusterConfiguration {
        var configuration = world.configuration()
        configuration.takesDomainProofs = true
        return configuration
    }

    @Test(
        "A Function has a domain once its record stands, says which one is missing until then, and keeps it over a restart"
    )
    func proof() async throws {
        let world = try await World(on: .memory, isStarted: false)
        world.lookup.set("_farebox.mine.example.com", .texts(["farebox=\(world.namespace)/hello"]))
        world.start(configuration(world))
        try await world.makeRuntimeClass()
        try await world.makeFunction(spec: "image: \(image)\ndomains: [mine.example.com, other.example.com]")

        let proven = try await world.eventually { $0.status?.domains == ["mine.example.com"] }
        let condition = proven.status?.conditions.first { $0.type == "DomainsServed" }
        // Whoever answers for it is away: nothing is lost by that.
        world.lookup.set("_farebox.mine.example.com", .unknown)
        try await world.restart(configuration(world))
        world.lookup.set("_farebox.other.example.com", .texts(["farebox=\(world.namespace)/hello"]))
        let both = try await world.eventually { $0.status?.domains.count == 2 }

        #expect(proven.status?.domainProofs.map(\.domain) == ["mine.example.com"])
        #expect(condition?.reason == "DomainNotProven")
        #expect(
            condition?.message.contains(
                "_farebox.other.example.com TXT \"farebox=\(world.namespace)/hello\"") == true)
        #expect(both.status?.conditions.first { $0.type == "DomainsServed" }?.status == .true)
        try await world.end()
    }

    @Test("Nobody is asked, and nothing counts, where the administrator takes no proofs")
    func switchedOff() async throws {
        let world = try await World(on: .memory, isStarted: false)
        world.lookup.set("_farebox.mine.example.com", .texts(["farebox=\(world.namespace)/hello"]))
        world.start(world.configuration())
        try await world.makeRuntimeClass()
        try await world.makeFunction(spec: "image: \(image)\ndomains: [mine.example.com]")

        let function = try await world.eventually {
            $0.status?.conditions.first { $0.type == "DomainsServed" } != nil
        }

        #expect(function.status?.domains == [])
        #expect(function.status?.conditions.first { $0.type == "DomainsServed" }?.reason == "DomainNotAllowed")
        #expect(world.lookup.names.isEmpty)
        try await world.end()
    }
}
