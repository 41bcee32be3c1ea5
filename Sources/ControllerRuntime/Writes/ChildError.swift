public import KubernetesTypes

/// Why a child was not written: another has a claim on it, or its owner is going.
public enum ChildError: Error, Hashable, CustomStringConvertible {
    /// Another object controls it: choose another name, or delete the other one.
    case controlledByAnother(child: String, controller: OwnerReference)

    /// It belongs to a deleted owner of the same name and will be collected; trying again later helps.
    case awaitsGarbageCollection(child: String)

    /// It exists and nothing says that it is ours: somebody made it by hand.
    case notOurs(child: String)

    /// Its owner is being deleted: nothing more is made for it.
    case ownerIsBeingDeleted(owner: String)

    /// It would live in another namespace than its owner, which garbage collection forbids.
    case wrongNamespace(child: String, owner: String)

    /// One line for a person.
    public var description: String {
        switch self {
        case .controlledByAnother(let child, let controller):
            "\(child) exists and is controlled by \(controller.kind) \(controller.name)"
        case .awaitsGarbageCollection(let child):
            "\(child) still belongs to a deleted object of the same name; waiting for its garbage collection"
        case .notOurs(let child):
            "\(child) exists and was not made by Farebox; rename one of them, or delete it"
        case .ownerIsBeingDeleted(let owner): "\(owner) is being deleted"
        case .wrongNamespace(let child, let owner): "\(child) cannot belong to \(owner) of another namespace"
        }
    }
}
