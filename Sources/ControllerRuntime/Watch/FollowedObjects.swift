import KubernetesTypes

/// Which objects a ``Follower`` has told of, as a value: of each its name and 8 bytes.
struct FollowedObjects {
    /// What is kept of an object, in 8 bytes.
    private struct Mark {
        /// Of the hash of its uid 48 bits, and the number of the last list that it was on or came after.
        private var bits: UInt64

        init(uid: String, list: UInt16) {
            bits = UInt64(truncatingIfNeeded: uid.hashValue) & ~0xFFFF | UInt64(list)
        }

        /// Tells objects apart that had the same name one after the other.
        var uid: UInt64 { bits >> 16 }

        var list: UInt16 {
            get { UInt16(truncatingIfNeeded: bits) }
            set { bits = bits & ~0xFFFF | UInt64(newValue) }
        }
    }

    private var marks: [ObjectKey: Mark] = [:]
    private var namespaces: Set<String> = []
    /// The number of the list that came last, or comes now.
    private var list: UInt16 = 0

    /// A list begins.
    mutating func beginList() {
        list &+= 1
    }

    /// An object is there.
    ///
    /// Its namespace shares the text with the others of that namespace from now on.
    ///
    /// - Returns: Whether another object had its name before.
    mutating func store(_ metadata: inout ObjectMeta) -> Bool {
        metadata.namespace = namespaces.insert(metadata.namespace).memberAfterInsert
        let mark = Mark(uid: metadata.uid, list: list)
        let key = ObjectKey(namespace: metadata.namespace, name: metadata.name)
        return marks.updateValue(mark, forKey: key).map { $0.uid != mark.uid } ?? false
    }

    /// An object is on the list, and nothing else is known of it.
    mutating func keep(_ key: ObjectKey) {
        marks[key]?.list = list
    }

    /// The list is complete.
    ///
    /// - Returns: How many objects there are, and those that were not on it.
    func endList() -> (count: Int, gone: [ObjectKey]) {
        let gone = marks.filter { $0.value.list != list }.map(\.key)
        return (marks.count - gone.count, gone)
    }

    /// An object is gone; returns whether it was there.
    mutating func remove(_ key: ObjectKey) -> Bool {
        marks.removeValue(forKey: key) != nil
    }
}
