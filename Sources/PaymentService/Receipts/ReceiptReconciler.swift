import CRDs
import ControllerRuntime
import KubernetesTypes
import Payments

/// Hands in the receipt of an object, exactly once, and tells in its status what it was worth.
///
/// The ledger is what makes it once: an object that is applied again, or whose status was lost, adds nothing.
struct ReceiptReconciler: Reconciler {
    let receipts: Informer<Receipt>
    let desk: ReceiptDesk
    let ledger: any PaymentLedger
    let statusWriter: StatusWriter
    let verdicts = VerdictMemory()

    func reconcile(_ key: ObjectKey) async throws -> ReconcileOutcome {
        guard let receipt = receipts.get(key), !receipt.metadata.isBeingDeleted else { return .done }
        let verdict: ReceiptVerdict
        switch ReceiptTask(receipt) {
        case .settled:
            verdicts.forget(receipt)
            return .done
        case .refuse(let refusal): verdict = refusal
        case .show(let proof): verdict = try await look(up: proof, receipt)
        case .submit(let proof): verdict = try await submit(proof, receipt)
        }
        let status = ReceiptReport.status(of: receipt, verdict, now: .now)
        // What was worked out from an older state must not be written over a newer one: the amounts are sums.
        try await statusWriter.write(status, to: receipt, isShared: true)
        if case .waiting(let reason) = verdict { throw LedgerAway(reason: reason) }
        return .done
    }

    private func look(up proof: StreamReceipt, _ receipt: Receipt) async throws -> ReceiptVerdict {
        let record = try await ledger.stream(nonce: proof.nonce, stream: proof.stream)
        // Somebody put a newer receipt into an object of ours: it counts like any other.
        guard let record, record.total >= proof.total, desk.isGenuine(proof) else {
            return try await submit(proof, receipt)
        }
        return .shown(record)
    }

    private func submit(_ proof: StreamReceipt, _ receipt: Receipt) async throws -> ReceiptVerdict {
        if let known = verdicts.verdict(on: receipt) { return known }
        let verdict: ReceiptVerdict
        switch await desk.submit(Array(receipt.spec.receipt.utf8)) {
        case .credited(let credit): verdict = .credited(credit, proof)
        case .refused(let error):
            let record = try await ledger.stream(nonce: proof.nonce, stream: proof.stream)
            // Forged receipts learn nothing of the stream.
            verdict = ReceiptVerdict(error, proof, record: error == .forged ? nil : record)
        case .busy(let retryAfter): return .waiting("the ledger has too much to do, for about \(retryAfter)")
        case .unavailable(let reason): return .waiting("the ledger does not work, and is asked again: \(reason)")
        }
        verdicts.remember(verdict, on: receipt)
        return verdict
    }
}

/// The ledger could not be asked; the object is tried again.
struct LedgerAway: Error, CustomStringConvertible {
    let reason: String
    var description: String { reason }
}
