/// Makes `Decodable` types from nodes.
struct NodeDecoder: Decoder {
    let node: YAMLNode
    let path: CodingTrail?
    let unknownKeys: YAMLReader.UnknownKeys

    var codingPath: [any CodingKey] { CodingTrail.codingPath(path) }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .mapping(let mapping) = node.content else { throw mismatch("a mapping") }
        if unknownKeys == .refuse {
            for entry in mapping.entries where Key(stringValue: entry.key) == nil {
                throw YAMLError.mismatch(
                    path: CodingTrail.text(path), reason: "unknown key \"\(entry.key.prefix(64))\"",
                    location: entry.keyLocation)
            }
        }
        return KeyedDecodingContainer(KeyedNodeDecoder(mapping: mapping, parent: self))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .sequence(let elements) = node.content else { throw mismatch("a list") }
        return UnkeyedNodeDecoder(elements: elements, parent: self)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { self }

    /// A decoder for a part of this node.
    func child(_ node: YAMLNode, _ key: any CodingKey) -> NodeDecoder {
        NodeDecoder(node: node, path: CodingTrail(key, after: path), unknownKeys: unknownKeys)
    }

    /// An error about a part that is not there.
    func missing(_ key: any CodingKey, _ reason: String) -> YAMLError {
        .mismatch(path: CodingTrail.text(path, key), reason: reason, location: node.location)
    }

    private func mismatch(_ expected: String) -> YAMLError {
        failure("expected \(expected), found \(node.kind)")
    }

    private func failure(_ reason: String) -> YAMLError {
        .mismatch(path: CodingTrail.text(path), reason: reason, location: node.location)
    }
}

extension NodeDecoder: SingleValueDecodingContainer {
    func decodeNil() -> Bool { node.isNull }

    func decode(_ type: Bool.Type) throws -> Bool {
        guard case .bool(let bool) = scalarValue else { throw mismatch("a Boolean") }
        return bool
    }

    func decode(_ type: String.Type) throws -> String {
        guard let text = node.text else { throw mismatch("a string") }
        return text
    }

    func decode(_ type: Double.Type) throws -> Double {
        switch scalarValue {
        case .integer(let number): return Double(number)
        case .unsigned(let number): return Double(number)
        case .double(let number): return number
        default: throw mismatch("a number")
        }
    }

    func decode(_ type: Float.Type) throws -> Float { Float(try decode(Double.self)) }
    func decode(_ type: Int.Type) throws -> Int { try integer(type) }
    func decode(_ type: Int8.Type) throws -> Int8 { try integer(type) }
    func decode(_ type: Int16.Type) throws -> Int16 { try integer(type) }
    func decode(_ type: Int32.Type) throws -> Int32 { try integer(type) }
    func decode(_ type: Int64.Type) throws -> Int64 { try integer(type) }
    func decode(_ type: UInt.Type) throws -> UInt { try integer(type) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try integer(type) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try integer(type) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try integer(type) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try integer(type) }

    func decode<T: Decodable>(_ type: T.Type) throws -> T { try T(from: self) }

    private var scalarValue: YAMLScalar.Value? {
        if case .scalar(let scalar) = node.content { scalar.value } else { nil }
    }

    private func integer<T: FixedWidthInteger>(_ type: T.Type) throws -> T {
        let exact: T?
        switch scalarValue {
        case .integer(let number): exact = T(exactly: number)
        case .unsigned(let number): exact = T(exactly: number)
        default: throw mismatch("an integer")
        }
        guard let exact else { throw failure("expected an integer from \(T.min) to \(T.max)") }
        return exact
    }
}

extension YAMLNode {
    var isNull: Bool {
        if case .scalar(let scalar) = content { scalar.value == .null } else { false }
    }
}
