import CRDs
import ControllerRuntime
import KubernetesTypes

/// Tells of changes in a Repository's status as events.
struct RepositoryEvents {
    let recorder: EventRecorder?
    let repository: Repository

    /// Records what the new status says and the old one did not.
    func tell(_ status: RepositoryStatus) {
        guard let recorder else { return }
        let old = repository.status
        if let ready = status.conditions.condition(Conditions.ready) {
            let before = old?.conditions.condition(Conditions.ready)
            if before?.reason != ready.reason || before?.status != ready.status {
                let isTrouble =
                    ready.reason != RepositoryReason.suspended.rawValue
                    && (status.conditions.condition(Conditions.stalled) != nil || ready.status == .false)
                recorder.record(
                    on: repository, type: isTrouble ? .warning : .normal, reason: ready.reason, action: "Reconcile",
                    note: ready.message.isEmpty ? ready.reason : ready.message)
            }
        }
        for function in status.functions where function.state == .failed {
            let before = old?.functions.first { $0.name == function.name }
            guard before?.reason != function.reason || before?.commit != function.commit else { continue }
            let message = function.message?.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
            recorder.record(
                on: repository, type: .warning, reason: function.reason ?? "Failed", action: "Deploy",
                note: "function \(function.name): \(message)")
        }
    }
}
