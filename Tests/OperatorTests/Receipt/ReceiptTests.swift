import CRDs
import ControllerRuntime
import KubernetesTypes
import Testing
import Timing

@testable import Operator

@Suite("Receipts")
struct ReceiptTests {
    static let now = Time(Timestamp(secondsSinceEpoch: 1_800_000_000))

    @Test("A Receipt is refused with a reason where the cluster takes no payments")
    func refused() {
        var receipt = Receipt(metadata: ObjectMeta(name: "r"), spec: ReceiptSpec(receipt: "AA=="))
        receipt.metadata.generation = 2

        let status = ReceiptReconciler.status(of: receipt, now: Self.now)

        #expect(status.observedGeneration == 2)
        #expect(status.conditions.condition("Ready")?.status == .false)
        #expect(status.conditions.condition("Stalled")?.reason == "PaymentsNotConfigured")
        #expect(status.conditions.condition("Credited")?.status == .false)
        #expect(status.credited == nil)
    }

    @Test("Refusing again changes nothing")
    func stable() {
        var receipt = Receipt(metadata: ObjectMeta(name: "r"), spec: ReceiptSpec(receipt: "AA=="))
        let first = ReceiptReconciler.status(of: receipt, now: Self.now)
        receipt.status = first

        let second = ReceiptReconciler.status(of: receipt, now: Time(Timestamp(secondsSinceEpoch: 1_900_000_000)))

        #expect(second == first)
    }
}
