import CRDs
import ControllerRuntime
import KubernetesTypes
import Payments

/// Tells in a Function's status what its account holds.
///
/// The status is the operator's too: it is never written over a version that was not seen.
struct FundingReconciler: Reconciler {
    let functions: Informer<Function>
    let ledger: any PaymentLedger
    let asset: Asset
    let statusWriter: StatusWriter
    let pace: StatusPace

    func reconcile(_ key: ObjectKey) async throws -> ReconcileOutcome {
        guard let function = functions.get(key), !function.metadata.isBeingDeleted else {
            pace.forget(key)
            return .done
        }
        let status = try await outlook(of: function).status(of: function, now: .now)
        guard !status.hasSameFunding(as: function.status ?? FunctionStatus()) else { return .done }
        if let wait = pace.wait(key) { return .requeue(after: wait) }
        if try await statusWriter.write(status, to: function, isShared: true) { pace.note(key) }
        return .done
    }

    private func outlook(of function: Function) async throws -> FundingOutlook {
        switch FunctionPricing(function.spec.payment, asset: asset) {
        case .none: return .free
        case .unusable: return .unusable
        case .otherAsset(let own): return .otherAsset(own, accepted: asset.description)
        case .terms(let terms):
            guard let account = PaymentAccount(function) else { return .unusable }
            return .known(try await ledger.balance(of: account, terms: terms))
        }
    }

    /// The changes of a Function that concern its account: a new spec, and a status that lost what was written.
    static let changes = Predicate<Function> { event in
        guard let old = event.old, !event.isResync else { return true }
        return old.metadata.generation != event.object.metadata.generation
            || !(old.status ?? FunctionStatus()).hasSameFunding(as: event.object.status ?? FunctionStatus())
    }
}
