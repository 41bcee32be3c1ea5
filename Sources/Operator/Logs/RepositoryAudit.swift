import Audit
import Builds
import CRDs
import KubernetesTypes

/// Tells the audit log what became of one Repository's builds and functions.
struct RepositoryAudit {
    let log: AuditLog?
    let repository: Repository

    /// Nobody asked for it by name: the operator acts on pushes and on what is in the cluster.
    private static let actor = "operator"

    /// A build was begun; its Job was made just now.
    func began(_ request: BuildJob.Request) {
        record(
            "BuildStarted", function: request.function, id: nil,
            detail: "commit \(request.commit), image \(request.image), attempt \(request.attempt)")
    }

    /// A build ended; told once for each Job, and again with the same id when that could not be noted.
    func ended(_ build: ObservedBuild) {
        let id = "build-\(build.job.metadata.uid)-ended"
        let what = "commit \(build.commit), attempt \(build.attempt)"
        switch build.outcome {
        case .succeeded(let digest):
            record("BuildEnded", function: build.function, id: id, detail: "\(what), \(digest)")
        case .failed(let failure):
            record(
                "BuildEnded", function: build.function, id: id, result: .failed,
                detail: "\(what), \(failure.reason.rawValue)")
        case .waiting, .running: break
        }
    }

    /// What the new status says and the old one did not: functions that were deployed, and those that failed.
    func tell(_ status: RepositoryStatus) {
        guard log != nil else { return }
        for function in status.functions {
            let before = repository.status?.functions.first { $0.name == function.name }
            let isOther = before?.commit != function.commit || before?.image != function.image
            switch function.state {
            case .deployed where isOther || before?.state != .deployed:
                record(
                    "FunctionDeployed", function: function.name, id: nil,
                    detail: "commit \(function.commit ?? "-"), image \(function.image ?? "-")")
            case .failed where isOther || before?.state != .failed || before?.reason != function.reason:
                record(
                    "FunctionFailed", function: function.name, id: nil, result: .failed,
                    detail: "commit \(function.commit ?? "-"), \(function.reason ?? "-")")
            default: break
            }
        }
    }

    /// A Function object was deleted, since it left the stack.
    func removed(_ function: Function) {
        log?.record(
            AuditEvent(
                id: "function-\(function.metadata.uid)-removed", actor: Self.actor, action: "FunctionRemoved",
                object: "Function \(function.key)", owner: repository.owner.display, repository: name,
                detail: "it is no longer in the stack"))
    }

    private func record(
        _ action: String, function: String, id: String?, result: AuditEvent.Result = .succeeded, detail: String
    ) {
        log?.record(
            AuditEvent(
                id: id, actor: Self.actor, action: action, object: "Repository \(repository.key) function \(function)",
                owner: repository.owner.display, repository: name, result: result, detail: detail))
    }

    private var name: String { repository.hostedName }
}
