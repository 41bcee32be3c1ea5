/// Turns `Encodable` types into nodes.
struct NodeEncoder: Encoder {
    /// Where one encoded value grows; the containers of `Codable` share it by reference.
    final class Slot {
        enum Content {
            case scalar(YAMLScalar)
            case entries([(String, Slot)])
            case elements([Slot])
        }

        var content: Content

        init(_ scalar: YAMLScalar = .null) {
            content = .scalar(scalar)
        }

        func node() -> YAMLNode {
            switch content {
            case .scalar(let scalar): return YAMLNode(.scalar(scalar))
            case .elements(let elements): return YAMLNode(.sequence(elements.map { $0.node() }))
            case .entries(let entries):
                var mapping = YAMLMapping()
                for (key, slot) in entries { mapping.set(YAMLMapping.Entry(key: key, value: slot.node())) }
                return YAMLNode(.mapping(mapping))
            }
        }

        func add(_ slot: Slot, forKey key: String) {
            var entries: [(String, Slot)] = []
            if case .entries(let existing) = content { entries = existing }
            content = .scalar(.null)  // Gives up the reference, so that appending copies nothing.
            entries.append((key, slot))
            content = .entries(entries)
        }

        func add(_ slot: Slot) {
            var elements: [Slot] = []
            if case .elements(let existing) = content { elements = existing }
            content = .scalar(.null)
            elements.append(slot)
            content = .elements(elements)
        }
    }

    let slot: Slot
    let path: CodingTrail?

    var codingPath: [any CodingKey] { CodingTrail.codingPath(path) }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if case .entries = slot.content {} else { slot.content = .entries([]) }
        return KeyedEncodingContainer(KeyedNodeEncoder(slot: slot, path: path))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .elements = slot.content {} else { slot.content = .elements([]) }
        return UnkeyedNodeEncoder(slot: slot, path: path)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { self }
}

extension NodeEncoder: SingleValueEncodingContainer {
    func encodeNil() throws { slot.content = .scalar(.null) }
    func encode(_ value: Bool) throws { slot.content = .scalar(YAMLScalar(value)) }
    func encode(_ value: String) throws { slot.content = .scalar(YAMLScalar(string: value)) }
    func encode(_ value: Double) throws { slot.content = .scalar(YAMLScalar(value)) }
    func encode(_ value: Float) throws { slot.content = .scalar(YAMLScalar(value)) }
    func encode(_ value: Int) throws { slot.content = .scalar(YAMLScalar(value)) }
    func encode(_ value: Int8) throws { slot.content = .scalar(YAMLScalar(value)) }
    func encode(_ value: Int16) throws { slot.content = .scalar(YAMLScalar(value)) }
    func encode(_ value: Int32) throws { slot.content = .scalar(YAMLScalar(value)) }
    func encode(_ value: Int64) throws { slot.content = .scalar(YAMLScalar(value)) }
    func encode(_ value: UInt) throws { slot.content = .scalar(YAMLScalar(value)) }
    func encode(_ value: UInt8) throws { slot.content = .scalar(YAMLScalar(value)) }
    func encode(_ value: UInt16) throws { slot.content = .scalar(YAMLScalar(value)) }
    func encode(_ value: UInt32) throws { slot.content = .scalar(YAMLScalar(value)) }
    func encode(_ value: UInt64) throws { slot.content = .scalar(YAMLScalar(value)) }
    func encode<T: Encodable>(_ value: T) throws { try value.encode(to: self) }
}

/// Adds entries to one mapping, for the compiler's `encode(to:)`.
struct KeyedNodeEncoder<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let slot: NodeEncoder.Slot
    let path: CodingTrail?

    var codingPath: [any CodingKey] { CodingTrail.codingPath(path) }

    func encodeNil(forKey key: Key) throws { try child(key).encodeNil() }
    func encode(_ value: Bool, forKey key: Key) throws { try child(key).encode(value) }
    func encode(_ value: String, forKey key: Key) throws { try child(key).encode(value) }
    func encode(_ value: Double, forKey key: Key) throws { try child(key).encode(value) }
    func encode(_ value: Float, forKey key: Key) throws { try child(key).encode(value) }
    func encode(_ value: Int, forKey key: Key) throws { try child(key).encode(value) }
    func encode(_ value: Int8, forKey key: Key) throws { try child(key).encode(value) }
    func encode(_ value: Int16, forKey key: Key) throws { try child(key).encode(value) }
    func encode(_ value: Int32, forKey key: Key) throws { try child(key).encode(value) }
    func encode(_ value: Int64, forKey key: Key) throws { try child(key).encode(value) }
    func encode(_ value: UInt, forKey key: Key) throws { try child(key).encode(value) }
    func encode(_ value: UInt8, forKey key: Key) throws { try child(key).encode(value) }
    func encode(_ value: UInt16, forKey key: Key) throws { try child(key).encode(value) }
    func encode(_ value: UInt32, forKey key: Key) throws { try child(key).encode(value) }
    func encode(_ value: UInt64, forKey key: Key) throws { try child(key).encode(value) }
    func encode<T: Encodable>(_ value: T, forKey key: Key) throws { try child(key).encode(value) }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy keyType: NestedKey.Type, forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> {
        child(key).container(keyedBy: keyType)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { child(key).unkeyedContainer() }
    func superEncoder() -> any Encoder { child(SuperKey()) }
    func superEncoder(forKey key: Key) -> any Encoder { child(key) }

    private func child(_ key: any CodingKey) -> NodeEncoder {
        let child = NodeEncoder.Slot()
        slot.add(child, forKey: key.stringValue)
        return NodeEncoder(slot: child, path: CodingTrail(key, after: path))
    }
}

/// Adds elements to one list, for `encode(to:)`.
struct UnkeyedNodeEncoder: UnkeyedEncodingContainer {
    let slot: NodeEncoder.Slot
    let path: CodingTrail?

    var codingPath: [any CodingKey] { CodingTrail.codingPath(path) }

    var count: Int {
        if case .elements(let elements) = slot.content { elements.count } else { 0 }
    }

    func encodeNil() throws { try child().encodeNil() }
    func encode(_ value: Bool) throws { try child().encode(value) }
    func encode(_ value: String) throws { try child().encode(value) }
    func encode(_ value: Double) throws { try child().encode(value) }
    func encode(_ value: Float) throws { try child().encode(value) }
    func encode(_ value: Int) throws { try child().encode(value) }
    func encode(_ value: Int8) throws { try child().encode(value) }
    func encode(_ value: Int16) throws { try child().encode(value) }
    func encode(_ value: Int32) throws { try child().encode(value) }
    func encode(_ value: Int64) throws { try child().encode(value) }
    func encode(_ value: UInt) throws { try child().encode(value) }
    func encode(_ value: UInt8) throws { try child().encode(value) }
    func encode(_ value: UInt16) throws { try child().encode(value) }
    func encode(_ value: UInt32) throws { try child().encode(value) }
    func encode(_ value: UInt64) throws { try child().encode(value) }
    func encode<T: Encodable>(_ value: T) throws { try child().encode(value) }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy keyType: NestedKey.Type
    ) -> KeyedEncodingContainer<NestedKey> {
        child().container(keyedBy: keyType)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { child().unkeyedContainer() }
    func superEncoder() -> any Encoder { child() }

    private func child() -> NodeEncoder {
        let key = IndexKey(count)
        let child = NodeEncoder.Slot()
        slot.add(child)
        return NodeEncoder(slot: child, path: CodingTrail(key, after: path))
    }
}

extension YAMLScalar {
    /// `null`.
    static let null = YAMLScalar(text: "null", value: .null)

    init(_ value: Bool) {
        self.init(text: value ? "true" : "false", value: .bool(value))
    }

    init(_ value: some FixedWidthInteger) {
        let text = value.description
        self.init(text: text, value: Int64(exactly: value).map { .integer($0) } ?? .unsigned(UInt64(clamping: value)))
    }

    init(_ value: Double) {
        let text = value.isNaN ? ".nan" : value.isInfinite ? (value < 0 ? "-.inf" : ".inf") : value.description
        self.init(text: text, value: .double(value))
    }

    init(_ value: Float) {
        self.init(Double(value.description) ?? Double(value))
    }
}
