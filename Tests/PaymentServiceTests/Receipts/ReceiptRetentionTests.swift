import CRDs
import KubernetesTypes
import Testing
import Timing

@testable import PaymentService

@Suite("How long Receipts are kept")
struct ReceiptRetentionTests {
    private static let now = Timestamp(secondsSinceEpoch: 1_800_000_000)

    private func receipt(_ name: String, age: Int64, isOurs: Bool = true) -> Receipt {
        var metadata = ObjectMeta(name: name, namespace: "n")
        if isOurs {
            metadata.labels[FareboxLabel.managedBy] = FareboxLabel.managedByFarebox
            metadata.annotations = [
                FareboxAnnotation.ledgerCursor: "1",
                FareboxAnnotation.changedAt: (Self.now - .seconds(age)).rfc3339(.seconds),
            ]
        }
        return Receipt(metadata: metadata, spec: ReceiptSpec(receipt: ""))
    }

    @Test("Ours go when they are old or too many, oldest first; others never")
    func overdue() {
        let retention = ReceiptRetention(objectsMaximum: 2, age: .seconds(100))
        let receipts = [
            receipt("new", age: 1), receipt("middle", age: 50), receipt("surplus", age: 60),
            receipt("old", age: 101), receipt("theirs", age: 1000, isOurs: false),
        ]

        let overdue = retention.overdue(among: receipts, now: Self.now)

        #expect(overdue.map(\.metadata.name) == ["old", "surplus"])
    }
}
