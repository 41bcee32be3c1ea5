import CRDs
import ControllerRuntime
import Cryptography
import KubernetesTypes
import Payments

/// What a Receipt object asks for, as far as the object alone tells.
enum ReceiptTask: Hashable {
    /// Nothing: its status is about this very spec.
    case settled
    /// It is wrong in itself.
    case refuse(ReceiptVerdict)
    /// It is to be looked up: we made it to show a stream.
    case show(StreamReceipt)
    /// It is to be handed in.
    case submit(StreamReceipt)

    /// Reads an object.
    init(_ receipt: Receipt) {
        if Self.isSettled(receipt) {
            self = .settled
            return
        }
        let proof: StreamReceipt
        do {
            proof = try StreamReceipt(Base64.decode(receipt.spec.receipt) ?? [])
        } catch {
            self = .refuse(ReceiptVerdict(malformed: error))
            return
        }
        if let known = receipt.status?.streamKey, known != StreamKey(proof) {
            self = .refuse(
                .refused(
                    .immutable,
                    """
                    spec.receipt is of another stream than the one this object stands for (nonce \(known.nonce), stream \
                    \(known.stream)); put the old receipt back, and apply this one under another name
                    """))
        } else if PublishedReceipt.isOne(receipt, of: proof) {
            self = .show(proof)
        } else {
            self = .submit(proof)
        }
    }

    /// Whether the status says what became of this generation of the spec.
    private static func isSettled(_ receipt: Receipt) -> Bool {
        guard let status = receipt.status, status.observedGeneration == receipt.metadata.generation,
            let verified = status.conditions.condition(ReceiptCondition.verified.rawValue)
        else { return false }
        return verified.status != .unknown && verified.observedGeneration == receipt.metadata.generation
            && status.conditions.condition(Conditions.reconciling) == nil
    }
}
