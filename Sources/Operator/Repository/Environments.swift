import CRDs
import ControllerRuntime
import KubernetesClient
import KubernetesTypes

/// The further branches of a Repository: each is a Repository of its own, made for it and deleted with it.
///
/// So each environment has its own status, history and builds, the webhook finds it by URL and branch like any other,
/// and nothing else has to know that there is more than one.
struct Environments: Sendable {
    let repositories: Informer<Repository>
    let writer: ChildWriter
    let recorder: EventRecorder?

    /// Makes, changes and deletes them.
    ///
    /// - Throws: ``ChildError`` when a name is taken; `KubernetesError`.
    func bringAbout(_ parent: Repository) async throws {
        let wanted = Self.wanted(by: parent)
        for child in wanted {
            try await writer.apply(child, observed: repositories.get(child.key), owner: parent)
        }
        let names = Set(wanted.map(\.metadata.name))
        for child in repositories.list(namespace: parent.metadata.namespace)
        where child.metadata.controllerReference?.uid == parent.metadata.uid && !names.contains(child.metadata.name)
            && !child.metadata.isBeingDeleted
        {
            try await writer.delete(child)
            recorder?.record(
                on: parent, type: .normal, reason: "EnvironmentRemoved", action: "Collect",
                note: "deleted repository \(child.metadata.name): its branch \(child.branch) left spec.branches")
        }
    }

    /// What `spec.branches` asks for.
    static func wanted(by parent: Repository) -> [Repository] {
        parent.spec.branches.map { branch in
            var spec = parent.spec
            spec.branches = []
            spec.branch = branch.name
            spec.nameSuffix = branch.nameSuffix
            var metadata = ObjectMeta(
                name: parent.metadata.name + "-" + branch.nameSuffix, namespace: parent.metadata.namespace)
            metadata.labels = [
                FareboxLabel.managedBy: FareboxLabel.managedByFarebox,
                FareboxLabel.repository: LabelValue.sanitised(parent.metadata.name),
            ]
            for key in [FareboxAnnotation.owner, FareboxAnnotation.suspended] {
                if let value = parent.metadata.annotations[key] { metadata.annotations[key] = value }
            }
            return Repository(metadata: metadata, spec: spec)
        }
    }
}
