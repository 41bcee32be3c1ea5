/// The members of a JSON object, always in the order of their keys.
///
/// A sorted array instead of a hash table: reading is faster for the dozen members objects have, equality and output need
/// no sorting, and the same members always print the same bytes. Look-up takes logarithmic time, adding one member linear
/// time; build large objects with ``init(_:)`` at once. Keys compare like `String` does.
public struct JSONObject: Sendable, Hashable {
    struct Member: Sendable, Hashable {
        let key: String
        var value: JSONValue
    }

    private(set) var members: [Member]

    /// An object without members.
    public init() {
        members = []
    }

    /// An object with the members of a dictionary.
    ///
    /// - Parameter dictionary: Values by key.
    public init(_ dictionary: [String: JSONValue]) {
        members = dictionary.map { Member(key: $0.key, value: $0.value) }
        members.sort { $0.key < $1.key }
    }

    /// An object with these members; of equal keys the last one stays.
    ///
    /// - Parameter pairs: Keys and values in any order.
    public init(_ pairs: some Sequence<(String, JSONValue)>) {
        self.init(lastOfEach: pairs.map { Member(key: $0.0, value: $0.1) })
    }

    /// Sorts members, of which the last one with a key stays.
    init(lastOfEach unsorted: [Member]) {
        members = unsorted
        guard !Self.isStrictlyAscending(members) else { return }
        members.sort { $0.key < $1.key }  // The standard library's sort is stable, so equal keys keep their order.
        var kept: [Member] = []
        kept.reserveCapacity(members.count)
        for member in members {
            if let last = kept.indices.last, kept[last].key == member.key {
                kept[last] = member
            } else {
                kept.append(member)
            }
        }
        members = kept
    }

    /// Takes over members in the order of their keys.
    ///
    /// - Throws: The first key that is there twice.
    init(sorted members: consuming [Member]) throws(DuplicateKey) {
        self.members = members
        for index in self.members.indices.dropFirst() where self.members[index - 1].key == self.members[index].key {
            throw DuplicateKey(key: self.members[index].key)
        }
    }

    /// The value of a key; assigning nil removes the member.
    ///
    /// - Parameter key: The member's key.
    public subscript(_ key: String) -> JSONValue? {
        get {
            let (index, found) = position(of: key)
            return found ? members[index].value : nil
        }
        set {
            let (index, found) = position(of: key)
            switch (newValue, found) {
            case (let value?, true): members[index].value = value
            case (let value?, false): members.insert(Member(key: key, value: value), at: index)
            case (nil, true): members.remove(at: index)
            case (nil, false): break
            }
        }
    }

    /// The value of a key, or a default to start from when there is none.
    ///
    /// - Parameters:
    ///   - key: The member's key.
    ///   - defaultValue: What an absent member counts as.
    public subscript(_ key: String, default defaultValue: @autoclosure () -> JSONValue) -> JSONValue {
        get { self[key] ?? defaultValue() }
        set { self[key] = newValue }
    }

    /// The keys in their order.
    public var keys: [String] { members.map(\.key) }

    /// The values in the order of their keys.
    public var values: [JSONValue] { members.map(\.value) }

    /// Removes a member.
    ///
    /// - Parameter key: The member's key.
    /// - Returns: The removed value; nil when there was none.
    @discardableResult
    public mutating func removeValue(forKey key: String) -> JSONValue? {
        let (index, found) = position(of: key)
        return found ? members.remove(at: index).value : nil
    }

    /// Adds all members of another object; where both have a key, the other one's value wins.
    ///
    /// - Parameter other: What to add.
    public mutating func merge(_ other: JSONObject) {
        self = JSONObject(lastOfEach: members + other.members)
    }

    /// Where a key is, or where it would be inserted.
    private func position(of key: String) -> (index: Int, found: Bool) {
        var low = 0
        var high = members.count
        while low < high {
            let middle = low + (high - low) / 2
            if members[middle].key == key { return (middle, true) }
            if members[middle].key < key { low = middle + 1 } else { high = middle }
        }
        return (low, false)
    }

    private static func isStrictlyAscending(_ members: [Member]) -> Bool {
        guard members.count > 1 else { return true }
        for index in 1..<members.count where !(members[index - 1].key < members[index].key) { return false }
        return true
    }
}

/// A key that an object has twice.
struct DuplicateKey: Error {
    let key: String
}

extension JSONObject: RandomAccessCollection {
    /// Position of the first member.
    public var startIndex: Int { 0 }

    /// Position after the last member.
    public var endIndex: Int { members.count }

    /// The member at a position, in the order of keys.
    public subscript(_ position: Int) -> (key: String, value: JSONValue) {
        (members[position].key, members[position].value)
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    /// Makes an object; of equal keys the last one stays.
    public init(dictionaryLiteral members: (String, JSONValue)...) { self.init(members) }
}

extension Dictionary where Key == String, Value == JSONValue {
    /// The members of an object as a dictionary.
    ///
    /// - Parameter object: Where to take the members from.
    public init(_ object: JSONObject) {
        self.init(object.map { ($0.key, $0.value) }, uniquingKeysWith: { _, last in last })
    }
}
