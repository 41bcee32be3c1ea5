/// Values by key, in the order of the text.
public struct YAMLMapping: Sendable {
    /// One key and its value.
    public struct Entry: Sendable {
        /// The key as text.
        public let key: String
        /// Where the key stands.
        public let keyLocation: YAMLLocation
        /// What it leads to.
        public let value: YAMLNode

        /// Makes an entry.
        ///
        /// - Parameters:
        ///   - key: The key as text.
        ///   - keyLocation: Where it stands.
        ///   - value: What it leads to.
        public init(
            key: String, keyLocation: YAMLLocation = YAMLLocation(line: 1, column: 1), value: YAMLNode
        ) {
            self.key = key
            self.keyLocation = keyLocation
            self.value = value
        }
    }

    /// The entries in their order; no key is there twice.
    public private(set) var entries: [Entry] = []
    private var indices: [String: Int] = [:]

    /// Makes an empty mapping.
    public init() {}

    /// The value of a key.
    ///
    /// - Parameter key: The key as text.
    public subscript(_ key: String) -> YAMLNode? {
        indices[key].map { entries[$0].value }
    }

    /// The entry of a key, with the place of the key.
    ///
    /// - Parameter key: The key as text.
    public func entry(_ key: String) -> Entry? { indices[key].map { entries[$0] } }

    /// Adds an entry at the end unless its key is there.
    ///
    /// - Parameter entry: What to add.
    /// - Returns: Whether it was added.
    @discardableResult
    public mutating func append(_ entry: Entry) -> Bool {
        guard indices[entry.key] == nil else { return false }
        indices[entry.key] = entries.count
        entries.append(entry)
        return true
    }

    /// Adds an entry, or replaces the value of its key in place.
    mutating func set(_ entry: Entry) {
        if let index = indices[entry.key] {
            entries[index] = entry
        } else {
            append(entry)
        }
    }
}
