import CRDs
import KubernetesTypes

/// Why a function does not run as wanted, and what to do about it.
struct FunctionTrouble: Hashable, Sendable {
    let reason: FunctionReason
    let message: String

    init(_ reason: FunctionReason, _ message: String) {
        self.reason = reason
        self.message = message
    }

    /// What to do where payment is demanded and the cluster takes none.
    static let paymentsRemedy = """
        this cluster takes no payments, so that no call could be paid for; leave out spec.payment, or ask the administrator \
        to set payments.hostPointer and payments.asset and to install the payments component
        """

    /// Reads the conditions of a Deployment: what the API server refused, and a rollout that does not end.
    init?(_ deployment: Deployment) {
        let conditions = deployment.status?.conditions ?? []
        if let failure = conditions.condition("ReplicaFailure"), failure.status == .true {
            if failure.message.contains("exceeded quota") {
                self.init(
                    .quotaExceeded,
                    """
                    the namespace's quota is used up: \(failure.message); raise the quota, lower spec.resources or \
                    spec.replicas, or delete what is not needed
                    """)
            } else {
                self.init(.podsRefused, "the API server refuses the pods: \(failure.message)")
            }
        } else if let progress = conditions.condition("Progressing"), progress.status == .false,
            progress.reason == "ProgressDeadlineExceeded"
        {
            self.init(
                .progressDeadlineExceeded,
                """
                the rollout makes no progress; kubectl describe pod -n \(deployment.metadata.namespace) -l \
                \(FareboxLabel.name)=\(deployment.metadata.name) shows what the node says
                """)
        } else {
            return nil
        }
    }
}
