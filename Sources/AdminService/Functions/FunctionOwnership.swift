import CRDs
import KubernetesTypes

/// Whether somebody else decides about a Function.
enum FunctionOwnership {
    /// Why a client may neither change nor remove a Function; nil when it may.
    static func trouble(with function: Function) -> String? {
        if let owner = function.metadata.controllerReference {
            return
                "the function \(function.metadata.name) belongs to the \(owner.kind) \(owner.name), which would undo the "
                + "change; change it there"
        }
        let repository = function.spec.source?.repository ?? function.metadata.labels[FareboxLabel.repository]
        return repository.map {
            "the function \(function.metadata.name) is deployed by the Repository \($0), which would undo the change; push to "
                + "it instead"
        }
    }
}
