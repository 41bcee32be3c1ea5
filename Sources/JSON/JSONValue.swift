import Glibc  // Links libm, which rounding a `Double` needs in builds without optimisation.

/// Any JSON value, as a tree.
///
/// Numbers keep what their text said: a number without fraction and exponent is `.integer` (or `.unsigned` when only
/// `UInt64` holds it), every other one is `.double`. So `1` and `1.0` are different values here, as they are different
/// texts; the accessors and the decoder convert where nothing is lost.
public enum JSONValue: Sendable, Hashable {
    /// The literal `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A whole number that fits `Int64`.
    case integer(Int64)
    /// A whole number above `Int64.max` that fits `UInt64`; smaller ones are always `.integer`.
    case unsigned(UInt64)
    /// Any other number; never infinite and never NaN when it comes from a reader.
    case double(Double)
    /// A string.
    case string(String)
    /// An ordered list.
    case array([JSONValue])
    /// Members by key.
    case object(JSONObject)

    /// The whole number closest in type: `.integer` where `Int64` holds it, else `.unsigned`.
    ///
    /// - Parameter number: Any `UInt64`.
    public init(_ number: UInt64) {
        if let small = Int64(exactly: number) {
            self = .integer(small)
        } else {
            self = .unsigned(number)
        }
    }

    /// An object with the members of a dictionary.
    ///
    /// - Parameter members: Values by key.
    public init(_ members: [String: JSONValue]) {
        self = .object(JSONObject(members))
    }

    /// Whether this is the literal `null`.
    public var isNull: Bool { self == .null }

    /// The Boolean, or nil when this is something else.
    public var boolValue: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The whole number, or nil when this is something else or outside `Int64`.
    ///
    /// A `.double` with an integral value converts too (`3.0` is 3).
    public var integerValue: Int64? {
        switch self {
        case .integer(let value): value
        case .double(let value): Int64(exactly: value)
        default: nil
        }
    }

    /// The number as `Double`, rounded where needed; nil when this is no number.
    public var doubleValue: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .unsigned(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }

    /// The string, or nil when this is something else.
    public var stringValue: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The elements, or nil when this is no array.
    public var arrayValue: [JSONValue]? {
        if case .array(let value) = self { value } else { nil }
    }

    /// The members, or nil when this is no object.
    public var objectValue: JSONObject? {
        if case .object(let value) = self { value } else { nil }
    }

    /// The member with this key; nil when there is none or when this is no object.
    ///
    /// Assigning nil removes the member. Assigning a value to something that is no object makes it one.
    ///
    /// - Parameter key: The member's key.
    public subscript(_ key: String) -> JSONValue? {
        get { objectValue?[key] }
        set {
            if case .object(var members) = self {
                self = .null  // Gives up this reference, so that the change below copies nothing.
                members[key] = newValue
                self = .object(members)
            } else if let newValue {
                self = .object([key: newValue])
            }
        }
    }

    /// The element at this index; nil when it is out of bounds or when this is no array.
    ///
    /// - Parameter index: Position, counting from 0.
    public subscript(_ index: Int) -> JSONValue? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    /// The value behind a chain of object keys: `value[path: "metadata", "name"]`.
    ///
    /// Assigning makes the objects on the way; assigning nil removes the last member and makes nothing.
    ///
    /// - Parameter keys: Keys from the outside in; with none, the value itself.
    public subscript(path keys: String...) -> JSONValue? {
        get { value(at: keys[...]) }
        set { setValue(newValue, at: keys[...]) }
    }

    /// What kind of value this is, for a message: "a string", "an object", "null".
    public var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a Boolean"
        case .integer, .unsigned: "an integer"
        case .double: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    private func value(at keys: ArraySlice<String>) -> JSONValue? {
        var current = self
        for key in keys {
            guard let next = current[key] else { return nil }
            current = next
        }
        return current
    }

    private mutating func setValue(_ newValue: JSONValue?, at keys: ArraySlice<String>) {
        guard let key = keys.first else {
            if let newValue { self = newValue }
            return
        }
        guard keys.count > 1 else {
            self[key] = newValue
            return
        }
        guard newValue != nil || self[key] != nil else { return }
        var child = self[key] ?? .object([:])
        child.setValue(newValue, at: keys.dropFirst())
        self[key] = child
    }
}
