import CRDs
import KubernetesTypes
import Payments
import Testing
import Timing

@testable import PaymentService

@Suite("What a Receipt's status says")
struct ReceiptReportTests {
    private static let now = Time(Timestamp(secondsSinceEpoch: 1_800_000_000))
    private static let later = Time(Timestamp(secondsSinceEpoch: 1_900_000_000))

    private func receipt(total: UInt64) -> Receipt {
        var receipt = Receipt(
            metadata: ObjectMeta(name: "r", namespace: "n"), spec: ReceiptSpec(receipt: Town.receipt(1, total: total)))
        receipt.metadata.generation = 1
        return receipt
    }

    @Test("does not change when it is said again")
    func stable() throws {
        var receipt = receipt(total: 5)
        let proof = try #require(PublishedReceipt.proof(in: receipt))
        let verdict = ReceiptVerdict.nothingNew(highest: 9, proof, nil)

        let first = ReceiptReport.status(of: receipt, verdict, now: Self.now)
        receipt.status = first
        let second = ReceiptReport.status(of: receipt, verdict, now: Self.later)

        #expect(second == first)
        #expect(first.totalReceived == "9")
        #expect(ReceiptTask(receipt) == .settled)
    }

    @Test("counts credits up without end, whatever it said before", arguments: ["18446744073709551615", "-1", "much"])
    func sums(before: String) throws {
        var receipt = receipt(total: 5)
        receipt.status = ReceiptStatus()
        receipt.status?.credited = before
        let proof = try #require(PublishedReceipt.proof(in: receipt))
        let asset = try #require(Asset(code: "XRP", scale: 9))
        let connection = StreamConnection(
            nonce: proof.nonce, account: PaymentAccount(namespace: "n", function: "f"), identifier: nil,
            endpoint: "$host.example", creditsHost: true, asset: asset, expiresAt: .now, seed: SeedID(of: [1]))
        let credit = StreamCredit(amount: 5, connection: connection, isCredited: true)

        let status = ReceiptReport.status(of: receipt, .credited(credit, proof), now: Self.now)

        #expect(status.credited == (UInt64(before) == nil ? "5" : "18446744073709551615"))
    }

    @Test("Nothing is called bad while the ledger is away")
    func waiting() {
        var receipt = receipt(total: 5)

        receipt.status = ReceiptReport.status(of: receipt, .waiting("the disk is full"), now: Self.now)

        #expect(receipt.status?.conditions.condition("Reconciling")?.status == .true)
        #expect(receipt.status?.conditions.condition("Verified") == nil)
        #expect(ReceiptTask(receipt) != .settled)
    }
}
