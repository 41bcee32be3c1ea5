public import KubernetesTypes

/// A change in what an informer holds.
///
/// It is a hint that something may have to be done, never the thing to act on: act on what the informer holds now.
public enum InformerEvent<Resource: KubernetesResource>: Sendable {
    /// The object was not there before; `isInitial` when it comes from the first list or a replay to a late handler.
    case added(Resource, isInitial: Bool)

    /// The object was there. With equal versions nothing changed: it was seen again in a relist.
    case updated(old: Resource, new: Resource)

    /// The object is gone. When the final state is unknown, its deletion was missed and this is the last state seen.
    case deleted(Resource, isFinalStateUnknown: Bool)

    /// The newest state in the event.
    public var object: Resource {
        switch self {
        case .added(let object, _), .updated(_, let object), .deleted(let object, _): object
        }
    }

    /// The state before, if there was one and it differs from ``object``.
    public var old: Resource? {
        if case .updated(let old, _) = self { old } else { nil }
    }

    /// Whether it tells of an object that did not just change: the first list, a replay or a relist.
    public var isResync: Bool {
        switch self {
        case .added(_, let isInitial): isInitial
        case .updated(let old, let new): old.metadata.resourceVersion == new.metadata.resourceVersion
        case .deleted: false
        }
    }
}
