import Testing

@Suite("Payments on a real API server", Backend.serverIsNeeded, .timeLimit(.minutes(10)))
struct PaymentAPIServerScenarios {
    struct Scenario: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let play: @Sendable (PaymentScenarios) async throws -> Void
    }

    static let scenarios: [Scenario] = [
        Scenario(testDescription: "A Receipt that is applied credits its function once") {
            try await $0.appliedReceipt()
        },
        Scenario(testDescription: "A newer receipt adds the difference") { try await $0.newerReceipt() },
        Scenario(testDescription: "A receipt of another stream is refused") { try await $0.immutable() },
        Scenario(testDescription: "A worthless receipt is told so") { try await $0.worthless() },
        Scenario(testDescription: "While the ledger is away a Receipt waits") { try await $0.ledgerAway() },
        Scenario(testDescription: "A failed write of a status loses no word of it") { try await $0.failedWrite() },
        Scenario(testDescription: "Two payments in a row are one write") { try await $0.pace() },
        Scenario(testDescription: "Money to the author is no credit") { try await $0.paidToAuthor() },
        Scenario(testDescription: "A Function says what it has") { try await $0.funding() },
        Scenario(testDescription: "Calls on lease cost no write") { try await $0.leased() },
        Scenario(testDescription: "Terms that go take their status with them") { try await $0.otherTerms() },
        Scenario(testDescription: "What the operator wrote stays") { try await $0.operatorsPart() },
        Scenario(testDescription: "A stream becomes a Receipt; a restart writes nothing") {
            try await $0.publishing()
        },
        Scenario(testDescription: "A stream is not shown twice") { try await $0.shownByHand() },
        Scenario(testDescription: "Backlog and old Receipts are bounded") { try await $0.bounds() },
        Scenario(testDescription: "Where nothing happens nothing is sent") { try await $0.silence() },
    ]

    @Test("What holds in memory holds on a real server", arguments: scenarios)
    func scenario(scenario: Scenario) async throws {
        try await scenario.play(PaymentScenarios(backend: .server))
    }
}
