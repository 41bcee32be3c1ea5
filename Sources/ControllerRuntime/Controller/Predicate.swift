public import KubernetesTypes

/// Chooses which changes lead to a reconcile; what is held in memory stays the same.
public struct Predicate<Resource: KubernetesResource>: Sendable {
    private let accepts: @Sendable (InformerEvent<Resource>) -> Bool

    /// Makes a predicate.
    public init(_ accepts: @escaping @Sendable (InformerEvent<Resource>) -> Bool) {
        self.accepts = accepts
    }

    /// Whether this change leads to a reconcile.
    public func callAsFunction(_ event: InformerEvent<Resource>) -> Bool { accepts(event) }

    /// Every change.
    public static var any: Predicate { Predicate { _ in true } }

    /// A new generation, a start of deletion, or a relist; additions and deletions always.
    ///
    /// Custom resources count their `spec` only. Kinds that do not count generations are never filtered.
    public static var generationChanged: Predicate {
        changed { old, new in
            guard let generation = new.generation, old.generation != nil else {
                return true
            }
            return generation != old.generation || old.isBeingDeleted != new.isBeingDeleted
        }
    }

    /// Other labels.
    public static var labelsChanged: Predicate { changed { $0.labels != $1.labels } }

    /// Other annotations.
    public static var annotationsChanged: Predicate { changed { $0.annotations != $1.annotations } }

    /// Anything at all written, which leaves relists out.
    public static var versionChanged: Predicate {
        Predicate { event in
            guard let old = event.old else {
                return true
            }
            return old.metadata.resourceVersion != event.object.metadata.resourceVersion
        }
    }

    /// What either of two predicates accepts.
    public static func || (left: Predicate, right: Predicate) -> Predicate { Predicate { left($0) || right($0) } }

    /// What both of two predicates accept.
    public static func && (left: Predicate, right: Predicate) -> Predicate { Predicate { left($0) && right($0) } }

    /// What a predicate refuses.
    public static prefix func ! (predicate: Predicate) -> Predicate { Predicate { !predicate($0) } }

    /// Accepts additions, deletions and relists, and updates whose metadata changed in the given way.
    private static func changed(_ differs: @escaping @Sendable (ObjectMeta, ObjectMeta) -> Bool) -> Predicate {
        Predicate { event in
            guard let old = event.old, !event.isResync else {
                return true
            }
            return differs(old.metadata, event.object.metadata)
        }
    }
}
