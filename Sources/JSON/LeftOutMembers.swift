/// Members that a parser leaves out of an object, by their keys.
struct LeftOutMembers {
    /// What becomes of a member.
    enum Fate {
        /// It is read whole.
        case nothing
        /// Some of it is left out.
        case some(LeftOutMembers)
        /// It is left out.
        case all
    }

    private struct Branch {
        let key: String
        /// What is left out of the member's value; nil leaves out the member.
        var below: LeftOutMembers?
    }

    /// Few, so that a search is short.
    private var branches: [Branch] = []

    /// - Parameter paths: The keys down to each member. An empty path leaves out nothing.
    init(_ paths: [[String]]) {
        for path in paths { add(path[...]) }
    }

    private mutating func add(_ path: ArraySlice<String>) {
        guard let key = path.first else { return }
        let index = branches.firstIndex { $0.key == key } ?? branches.endIndex
        if index == branches.endIndex {
            branches.append(Branch(key: key, below: path.count == 1 ? nil : LeftOutMembers([])))
        }
        if path.count == 1 {
            branches[index].below = nil
        } else {
            branches[index].below?.add(path.dropFirst())
        }
    }

    /// What becomes of the member with this key.
    func find(_ key: String) -> Fate {
        for branch in branches where branch.key == key {
            return branch.below.map { .some($0) } ?? .all
        }
        return .nothing
    }
}
