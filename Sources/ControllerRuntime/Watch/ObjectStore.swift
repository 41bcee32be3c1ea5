import KubernetesTypes

/// The objects of one collection as last seen, with indexes; a value, guarded by its informer.
///
/// Whoever reads gets values: changing one never changes the store.
struct ObjectStore<Resource: KubernetesResource>: Sendable {
    /// A change of the store, for the handlers.
    typealias Change = InformerEvent<Resource>

    private struct Index: Sendable {
        let values: @Sendable (Resource) -> [String]
        var keys: [String: Set<ObjectKey>] = [:]
    }

    private(set) var objects: [ObjectKey: Resource] = [:]
    private var indexes: [String: Index] = [:]

    /// Adds an index, or replaces the one of that name.
    mutating func addIndex(_ name: String, values: @escaping @Sendable (Resource) -> [String]) {
        var index = Index(values: values)
        for (key, object) in objects {
            for value in values(object) {
                index.keys[value, default: []].insert(key)
            }
        }
        indexes[name] = index
    }

    /// The objects that an index files under a value, in no order; nil when there is no such index.
    func objects(index name: String, value: String) -> [Resource]? {
        guard let index = indexes[name] else {
            return nil
        }
        return (index.keys[value] ?? []).compactMap { objects[$0] }
    }

    /// Takes an object in and returns what changed.
    ///
    /// An object with a new uid is another one under the same name: the old one is reported as deleted.
    mutating func store(_ object: Resource, key: ObjectKey) -> [Change] {
        let old = objects[key]
        replace(key, with: object)
        guard let old else {
            return [.added(object, isInitial: false)]
        }
        guard old.metadata.uid == object.metadata.uid else {
            return [.deleted(old, isFinalStateUnknown: true), .added(object, isInitial: false)]
        }
        return [.updated(old: old, new: object)]
    }

    /// Drops an object and returns what changed.
    ///
    /// - Parameter last: Its last state, if the server told it.
    mutating func remove(_ key: ObjectKey, last: Resource?) -> [Change] {
        guard let old = objects[key] else {
            return []
        }
        replace(key, with: nil)
        guard let last, last.metadata.uid == old.metadata.uid else {
            return [.deleted(old, isFinalStateUnknown: true)]
        }
        return [.deleted(last, isFinalStateUnknown: false)]
    }

    /// Puts a complete list in the place of all objects and returns what changed, deletions first.
    ///
    /// Objects that did not change are reported as updated to themselves, as client-go does: a relist is the moment at
    /// which a missed event, or a mistake of ours, is made good.
    ///
    /// - Parameters:
    ///   - list: The new objects.
    ///   - kept: Keys on the server whose objects could not be read: what we have of them stays.
    ///   - isInitial: Whether it is the first list.
    mutating func replaceAll(
        with list: [ObjectKey: Resource], keeping kept: Set<ObjectKey>, isInitial: Bool
    ) -> [Change] {
        var changes: [Change] = []
        for (key, old) in objects where list[key] == nil && !kept.contains(key) {
            replace(key, with: nil)
            changes.append(.deleted(old, isFinalStateUnknown: true))
        }
        changes.reserveCapacity(changes.count + list.count)
        for (key, object) in list {
            for change in store(object, key: key) {
                if case .added(let added, _) = change {
                    changes.append(.added(added, isInitial: isInitial))
                } else {
                    changes.append(change)
                }
            }
        }
        return changes
    }

    private mutating func replace(_ key: ObjectKey, with new: Resource?) {
        let old = objects.updateOrRemove(key, new)
        for name in indexes.keys {
            guard let values = indexes[name]?.values else {
                continue
            }
            let before = Set(old.map(values) ?? [])
            let after = Set(new.map(values) ?? [])
            for value in before.subtracting(after) {
                indexes[name]?.keys[value]?.remove(key)
                if indexes[name]?.keys[value]?.isEmpty == true {
                    indexes[name]?.keys[value] = nil
                }
            }
            for value in after.subtracting(before) {
                indexes[name]?.keys[value, default: []].insert(key)
            }
        }
    }
}

extension Dictionary {
    /// Sets or removes a value and returns the one before.
    fileprivate mutating func updateOrRemove(_ key: Key, _ value: Value?) -> Value? {
        guard let value else {
            return removeValue(forKey: key)
        }
        return updateValue(value, forKey: key)
    }
}
