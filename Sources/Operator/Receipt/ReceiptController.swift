import CRDs
public import ControllerRuntime
public import KubernetesClient
import KubernetesTypes

/// The controller of Receipts where the cluster takes no payments: it says so, so that none is silently ignored.
///
/// Where it does, payments have a controller of their own.
public enum ReceiptController {
    /// Adds the controller, and the informer it needs, to a manager.
    ///
    /// - Parameters:
    ///   - manager: Runs it, in the one process that leads.
    ///   - api: For writing status.
    @discardableResult
    public static func install(in manager: Manager, api: any KubernetesAPI) -> Controller {
        let receipts = manager.informers.informer(Receipt.self)
        let controller = Controller(
            name: "receipt", root: receipts,
            reconciler: ReceiptReconciler(receipts: receipts, statusWriter: StatusWriter(api: api)),
            metrics: manager.metrics)
        manager.add(controller)
        return controller
    }
}

/// Tells in a Receipt's status why nothing was credited.
struct ReceiptReconciler: Reconciler {
    let receipts: Informer<Receipt>
    let statusWriter: StatusWriter

    func reconcile(_ key: ObjectKey) async throws -> ReconcileOutcome {
        guard let receipt = receipts.get(key), !receipt.metadata.isBeingDeleted else { return .done }
        // What was settled while the cluster took payments stays as it is.
        guard receipt.status?.nonce == nil else { return .done }
        try await statusWriter.write(Self.status(of: receipt, now: .now), to: receipt)
        return .done
    }

    static func status(of receipt: Receipt, now: Time) -> ReceiptStatus {
        var status = receipt.status ?? ReceiptStatus()
        status.observedGeneration = receipt.metadata.generation
        var conditions = Conditions(
            observed: status.conditions, generation: receipt.metadata.generation, now: now)
        let reason = ReceiptReason.paymentsNotConfigured.rawValue
        conditions.setStalled(
            reason: reason,
            message: """
                this cluster takes no payments: nothing was verified or credited, so keep the receipt; the administrator has \
                to set payments.hostPointer and payments.asset and to install the payments component
                """)
        conditions.set(ReceiptCondition.verified.rawValue, .unknown, reason: reason)
        conditions.set(ReceiptCondition.credited.rawValue, .false, reason: reason)
        status.conditions = conditions.list
        return status
    }
}
