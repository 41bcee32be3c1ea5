import CRDs
import KubernetesTypes
import Synchronization

/// What became of receipts whose status is not written yet, so that a write that failed does not tell a credit as none.
///
/// It only keeps the words right; that money counts once is the ledger's.
final class VerdictMemory: Sendable {
    private static let objectsMaximum = 4096

    private struct Identity: Hashable {
        let uid: String
        let generation: Int64?

        init(_ receipt: Receipt) {
            uid = receipt.metadata.uid
            generation = receipt.metadata.generation
        }
    }

    private let verdicts = Mutex<[Identity: ReceiptVerdict]>([:])

    func verdict(on receipt: Receipt) -> ReceiptVerdict? {
        verdicts.withLock { $0[Identity(receipt)] }
    }

    func remember(_ verdict: ReceiptVerdict, on receipt: Receipt) {
        verdicts.withLock { verdicts in
            if verdicts.count >= Self.objectsMaximum { verdicts.removeAll() }
            verdicts[Identity(receipt)] = verdict
        }
    }

    func forget(_ receipt: Receipt) {
        verdicts.withLock { _ = $0.removeValue(forKey: Identity(receipt)) }
    }
}
