import JSON
import KubernetesClient
import Testing

@testable import CommandLine

@Suite("What the doctor says")
struct DoctorTests {
    private typealias Outcome = DoctorFinding.Outcome

    @Test(
        "The cluster has to be new enough",
        arguments: [
            ("1", "20", "ok"), ("1", "31+", "ok"), ("1", "19", "bad"), ("2", "0", "unknown"),
            ("1", "", "unknown"),
        ])
    func version(major: String, minor: String, outcome: String) throws {
        let text = #"{"major":"\#(major)","minor":"\#(minor)","gitVersion":"v"}"#
        let version = try JSONReader().decode(ServerVersion.self, from: Array(text.utf8))

        #expect(DoctorRules.version(version).outcome.rawValue == outcome)
    }

    @Test(
        "A process works with all its replicas, badly with some, and not at all with none",
        arguments: [
            (#"{"spec":{"replicas":2},"status":{"availableReplicas":2}}"#, "ok"),
            (#"{"spec":{"replicas":2},"status":{"availableReplicas":1}}"#, "warning"),
            (#"{"spec":{"replicas":2},"status":{}}"#, "bad"), (#"{}"#, "bad"), ("null", "bad"),
        ])
    func process(text: String, outcome: String) throws {
        let deployment = try JSONReader().parse(text)

        let finding = DoctorRules.process("gateway", deployment, isNeeded: true)

        #expect(finding?.outcome.rawValue == outcome)
        #expect((finding?.remedy == nil) == (outcome == "ok"))
    }

    @Test("What is not installed is bad only where it is needed")
    func absent() {
        #expect(DoctorRules.process("operator", nil, isNeeded: true)?.outcome == .bad)
        #expect(DoctorRules.process("admin", nil, isNeeded: false) == nil)
    }

    @Test(
        "The sandbox that is configured has to exist",
        arguments: [
            (["runtimeClassName": "kata"], ["kata"], "ok"), (["runtimeClassName": "kata"], ["gvisor"], "bad"),
            (nil, ["gvisor"], "ok"), (nil, [], "bad"), (["runtimeClassName": .null], [], "warning"),
        ] as [(JSONValue?, [String], String)])
    func sandbox(configured: JSONValue?, classes: [String], outcome: String) {
        #expect(DoctorRules.sandbox(configured, classes: classes).outcome.rawValue == outcome)
    }

    @Test(
        "A webhook refuses what nobody signed",
        arguments: [(401, "ok"), (403, "ok"), (200, "bad"), (404, "bad"), (nil, "bad")] as [(Int?, String)])
    func webhook(status: Int?, outcome: String) {
        #expect(DoctorRules.webhook("https://h/github", status: status).outcome.rawValue == outcome)
    }

    @Test(
        "Policies are enforced when the one pod connects and the other does not",
        arguments: [
            ("yes 1 0", "no 1 0", "ok"), ("yes 1 0", "yes 1 0", "bad"), ("no 1 0", "no 1 0", "unknown"),
            ("", "no 1 0", "unknown"), ("yes 1 0", "garbage", "unknown"),
        ])
    func policies(free: String, denied: String, outcome: String) {
        let finding = DoctorRules.policies(
            free: PolicyProbe.Report(free, node: "n"), denied: PolicyProbe.Report(denied, node: "n"))

        #expect(finding.outcome.rawValue == outcome)
    }

    @Test(
        "A node lets rootless BuildKit make user namespaces or not",
        arguments: [("yes 28633 0", "ok"), ("yes 0 0", "bad"), ("no 28633 1", "bad"), ("yes unknown 0", "unknown")])
    func builds(report: String, outcome: String) {
        #expect(DoctorRules.builds(PolicyProbe.Report(report, node: "n")).outcome.rawValue == outcome)
    }
}
