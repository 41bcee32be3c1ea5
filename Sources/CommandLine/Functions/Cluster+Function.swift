import CRDs
import Commands
import KubernetesTypes

extension Cluster {
    /// Reads a function.
    ///
    /// - Throws: `CommandFailure`.
    func function(_ name: String) async throws -> FetchedObject<Function> {
        try await read(Function.self, name, absent: "see which there are: farebox list -n \(namespace)")
    }

    /// Makes sure that nobody else decides about a function: what a Repository deploys, its next push would bring back.
    ///
    /// - Throws: `CommandFailure` that says who does.
    static func requireOwn(_ function: Function, to purpose: String) throws(CommandFailure) {
        let (name, namespace) = (function.metadata.name, function.metadata.namespace)
        if let owner = function.metadata.controllerReference {
            throw CommandFailure(
                .refused,
                "function \(name) in namespace \(namespace) belongs to the \(owner.kind) \(owner.name), which would undo "
                    + "it: \(purpose) is for the \(owner.kind) to do",
                advice: owner.kind == Repository.descriptor.kind
                    ? "push the change, then see: farebox repo list -n \(namespace)" : nil)
        }
        if let repository = function.spec.source?.repository ?? function.metadata.labels[FareboxLabel.repository] {
            throw CommandFailure(
                .refused,
                "function \(name) in namespace \(namespace) is deployed by the repository \(repository), which would "
                    + "undo it: \(purpose) is for a push to do",
                advice: "push the change, then see: farebox repo list -n \(namespace)")
        }
    }
}
