import JSON

/// The smallest JSON Merge Patch (RFC 7386) between two trees.
enum MergePatch {
    /// Returns what changes `old` into `new`; nil when nothing does.
    ///
    /// Lists are replaced as a whole. A null inside `new` counts as absent, since a merge patch cannot set it.
    static func difference(from old: JSONValue?, to new: JSONValue?) -> JSONValue? {
        guard case .object(let newMembers)? = new, case .object(let oldMembers)? = old else {
            guard let new, !new.isNull else {
                return old == nil || old?.isNull == true ? nil : .null
            }
            return old == new ? nil : new
        }
        var patch: JSONValue = .object([:])
        var isEmpty = true
        for (key, value) in newMembers {
            if let change = difference(from: oldMembers[key], to: value) {
                patch[key] = change
                isEmpty = false
            }
        }
        for (key, value) in oldMembers where newMembers[key] == nil && !value.isNull {
            patch[key] = .null
            isEmpty = false
        }
        return isEmpty ? nil : patch
    }
}
