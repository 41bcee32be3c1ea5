/// The values of one log line, in the order they were written: `["key": name, "attempt": 3]`.
///
/// Numbers and Booleans stay what they are in JSON lines; everything else becomes its description. Of equal keys the last
/// one stays.
public struct LogFields: Sendable, ExpressibleByDictionaryLiteral {
    /// What a field can hold.
    public typealias Value = any CustomStringConvertible & Sendable

    private(set) var pairs: [(key: String, value: Value)]

    /// No fields.
    public init() {
        pairs = []
    }

    /// Makes fields from a literal.
    public init(dictionaryLiteral elements: (String, Value)...) {
        self.init()
        for (key, value) in elements { self[key] = value }
    }

    /// The value of a key; assigning nil removes the field.
    ///
    /// - Parameter key: The field's name.
    public subscript(_ key: String) -> Value? {
        get { pairs.first { $0.key == key }?.value }
        set {
            let index = pairs.firstIndex { $0.key == key }
            switch (newValue, index) {
            case (let value?, let index?): pairs[index].value = value
            case (let value?, nil): pairs.append((key, value))
            case (nil, let index?): pairs.remove(at: index)
            case (nil, nil): break
            }
        }
    }

    /// These fields and those of another, whose values win.
    ///
    /// - Parameter other: What to add.
    /// - Returns: All of them.
    public func merging(_ other: LogFields) -> LogFields {
        var merged = self
        for (key, value) in other.pairs { merged[key] = value }
        return merged
    }
}
