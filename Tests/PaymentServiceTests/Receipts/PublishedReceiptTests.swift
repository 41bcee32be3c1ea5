import CRDs
import KubernetesTypes
import Payments
import Testing

@testable import PaymentService

@Suite("Receipts that show streams")
struct PublishedReceiptTests {
    @Test("have a name of their own for each stream, which Kubernetes takes")
    func names() {
        let names = [
            PublishedReceipt.name(nonce: [UInt8](repeating: 0, count: 16), stream: 0),
            PublishedReceipt.name(nonce: [UInt8](repeating: 255, count: 16), stream: 255),
            PublishedReceipt.name(nonce: [UInt8](repeating: 255, count: 16), stream: 25),
        ]

        #expect(Set(names).count == 3)
        #expect(names.allSatisfy { DNSName.isLabel($0) })
    }

    @Test("are ours by label and name; a stranger's object is handed in like any other")
    func strangers() throws {
        let text = Town.receipt(1, total: 5)
        var receipt = Receipt(metadata: ObjectMeta(name: "stream", namespace: "n"), spec: ReceiptSpec(receipt: text))
        receipt.metadata.labels[FareboxLabel.managedBy] = FareboxLabel.managedByFarebox
        let proof = try #require(PublishedReceipt.proof(in: receipt))

        #expect(ReceiptTask(receipt) == .submit(proof))
        receipt.metadata.name = PublishedReceipt.name(nonce: proof.nonce, stream: proof.stream)
        #expect(ReceiptTask(receipt) == .show(proof))
        receipt.metadata.labels = [:]
        #expect(ReceiptTask(receipt) == .submit(proof))
    }

    @Test("Bytes that are no receipt are refused before anybody is asked", arguments: ["", "AAAA", "%%%%"])
    func malformed(text: String) {
        let receipt = Receipt(metadata: ObjectMeta(name: "r", namespace: "n"), spec: ReceiptSpec(receipt: text))

        guard case .refuse(.refused(let reason, let message)) = ReceiptTask(receipt) else {
            Issue.record("not refused")
            return
        }

        #expect(reason == .malformed)
        #expect(!message.isEmpty)
    }
}
