import CRDs
import Cryptography
import KubernetesTypes
import Payments
import Timing

/// The Receipt objects that we make, so that `kubectl get receipts` shows the streams that receipts were handed in for.
enum PublishedReceipt {
    /// The object that shows a stream.
    ///
    /// - Parameters:
    ///   - record: The stream.
    ///   - proof: Its newest receipt.
    ///   - homeNamespace: For streams that name no function.
    static func object(of record: StreamRecord, _ proof: StreamReceipt, homeNamespace: String) -> Receipt {
        let key = key(of: record, homeNamespace: homeNamespace)
        var labels = [FareboxLabel.managedBy: FareboxLabel.managedByFarebox]
        if let function = record.account.map({ ObjectKey($0).name }), function.utf8.count <= labelBytesMaximum {
            labels[FareboxLabel.name] = function
        }
        let metadata = ObjectMeta(
            name: key.name, namespace: key.namespace, labels: labels,
            annotations: [
                FareboxAnnotation.ledgerCursor: String(record.cursor),
                FareboxAnnotation.changedAt: record.changedAt.rfc3339(.microseconds),
            ])
        return Receipt(metadata: metadata, spec: ReceiptSpec(receipt: Base64.encode(proof.bytes), rail: .stream))
    }

    private static let labelBytesMaximum = 63

    /// Where the object that shows a stream is.
    static func key(of record: StreamRecord, homeNamespace: String) -> ObjectKey {
        ObjectKey(
            namespace: record.account.map { ObjectKey($0).namespace } ?? homeNamespace,
            name: name(nonce: record.nonce, stream: record.stream))
    }

    /// The same for the same stream, and another for each other one.
    static func name(nonce: [UInt8], stream: UInt8) -> String { "stream-\(Hex.encode(nonce))-\(stream)" }

    /// Whether we made an object, by its label and name; neither is a proof of anything.
    static func isOne(_ receipt: Receipt, of proof: StreamReceipt) -> Bool {
        isMarked(receipt) && receipt.metadata.name == name(nonce: proof.nonce, stream: proof.stream)
    }

    /// Whether an object bears our label.
    static func isMarked(_ receipt: Receipt) -> Bool {
        receipt.metadata.labels[FareboxLabel.managedBy] == FareboxLabel.managedByFarebox
    }

    /// Where its stream stood in the ledger when we made an object; nil for one that is not ours.
    static func cursor(of receipt: Receipt) -> UInt64? {
        guard isMarked(receipt) else { return nil }
        return receipt.metadata.annotations[FareboxAnnotation.ledgerCursor].flatMap { UInt64($0) }
    }

    /// The receipt in an object's spec; nil when it is none.
    static func proof(in receipt: Receipt) -> StreamReceipt? {
        guard let bytes = Base64.decode(receipt.spec.receipt) else { return nil }
        return try? StreamReceipt(bytes)
    }
}
