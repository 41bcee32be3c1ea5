/// A value that Kubernetes objects leave out when it is empty.
public protocol Omittable: Codable, Equatable {
    /// Makes the empty value.
    init()
    /// Whether the value is the empty one.
    var isEmpty: Bool { get }
}

extension Array: Omittable where Element: Codable & Equatable {}
extension Dictionary: Omittable where Key: Codable, Value: Codable & Equatable {}
extension String: Omittable {}

/// Makes a coded property default to empty when absent or null, and absent from the output when empty.
///
/// This is the Go API's `omitempty` on read and write, for lists, maps and strings:
///
///     @OmitEmpty public var labels: [String: String]
@propertyWrapper
public struct OmitEmpty<Value: Omittable>: Codable, Equatable {
    /// The value itself; empty stands for absent.
    public var wrappedValue: Value

    /// Wraps a value.
    public init(wrappedValue: Value) {
        self.wrappedValue = wrappedValue
    }

    /// Decodes the value; null is empty.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        wrappedValue = container.decodeNil() ? Value() : try container.decode(Value.self)
    }

    /// Encodes the value itself.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(wrappedValue)
    }
}

extension OmitEmpty: Sendable where Value: Sendable {}
extension OmitEmpty: Hashable where Value: Hashable {}

extension KeyedDecodingContainer {
    /// Decodes an omittable property; an absent key and null give the empty value.
    public func decode<Value>(_ type: OmitEmpty<Value>.Type, forKey key: Key) throws -> OmitEmpty<Value> {
        OmitEmpty(wrappedValue: try decodeIfPresent(Value.self, forKey: key) ?? Value())
    }
}

extension KeyedDecodingContainer {
    /// Decodes a text; an absent key and null give the empty one.
    ///
    /// Texts are most of what is read, and this takes them without a generic type's detours.
    public func decode(_ type: OmitEmpty<String>.Type, forKey key: Key) throws -> OmitEmpty<String> {
        OmitEmpty(wrappedValue: try decodeIfPresent(String.self, forKey: key) ?? "")
    }

    /// Decodes a map of texts; a null in it is the empty text.
    ///
    /// `DEBUG:` without a value is what people write for an empty one. And an API server 1.20 that a newer Go compiled
    /// takes every empty text for a null: a schema must allow null where an empty text has a meaning.
    public func decode(
        _ type: OmitEmpty<[String: String]>.Type, forKey key: Key
    ) throws -> OmitEmpty<[String: String]> {
        do {
            return OmitEmpty(wrappedValue: try decodeIfPresent([String: String].self, forKey: key) ?? [:])
        } catch {
            guard let texts = try? decodeIfPresent([String: String?].self, forKey: key) else { throw error }
            return OmitEmpty(wrappedValue: texts.mapValues { $0 ?? "" })
        }
    }
}

extension KeyedEncodingContainer {
    /// Encodes an omittable property, leaving its key out when the value is empty.
    public mutating func encode<Value>(_ property: OmitEmpty<Value>, forKey key: Key) throws {
        guard !property.wrappedValue.isEmpty else { return }
        try encode(property.wrappedValue, forKey: key)
    }
}
