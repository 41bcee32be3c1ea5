import Builds
import CRDs
import ControllerRuntime
import KubernetesTypes

extension StatusReporter {
    /// Hands in a status that is about to be written, and notes in it what the Git host was told.
    ///
    /// - Returns: When to come again, if something is to be tried again.
    func tell(_ repository: Repository, _ status: inout RepositoryStatus, now: Time) -> Duration? {
        let type = RepositoryCondition.statusReported.rawValue
        var conditions = Conditions(
            observed: status.conditions, generation: repository.metadata.generation, now: now)
        var wait: Duration?
        switch report(repository, status: status) {
        case .unconfigured:
            conditions.remove(type)
            status.reportedDigest = nil
        // What was told so far is written once all of it was: fewer writes, and it is found out again if we die.
        case .sending: break
        case .sent(nil): break
        case .sent(let digest):
            status.reportedDigest = digest
            conditions.set(
                type, .true, reason: RepositoryReason.succeeded.rawValue,
                message: "the Git host shows how commit \((status.observedCommit ?? "").prefix(7)) does")
        case .failed(let reason, let message, let retryAfter, let digest):
            status.reportedDigest = digest
            conditions.set(type, .false, reason: reason.rawValue, message: message)
            wait = retryAfter
        }
        status.conditions = conditions.list
        return wait
    }

    /// Looks at what changed in a Repository: a push that took the place of one that nobody had looked at yet.
    func follow(_ event: InformerEvent<Repository>) {
        guard case .updated(let old, let new) = event, let commit = old.requestedCommit,
            let newer = new.requestedCommit, commit != newer,
            old.requestMark != new.status?.lastHandledRequest, old.requestMark != old.status?.lastHandledRequest
        else { return }
        overtook(commit, of: new)
    }
}
