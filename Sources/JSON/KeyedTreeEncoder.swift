/// Adds members to one object, for the compiler's `encode(to:)`.
struct KeyedTreeEncoder<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let slot: TreeEncoder.Slot
    let path: CodingTrail?

    var codingPath: [any CodingKey] { CodingTrail.codingPath(path) }

    func encodeNil(forKey key: Key) throws { add(.null, key) }
    func encode(_ value: Bool, forKey key: Key) throws { add(.bool(value), key) }
    func encode(_ value: String, forKey key: Key) throws { add(.string(value), key) }
    func encode(_ value: Double, forKey key: Key) throws { add(try TreeEncoder.number(value, trail(key)), key) }
    func encode(_ value: Float, forKey key: Key) throws { add(try TreeEncoder.number(value, trail(key)), key) }
    func encode(_ value: Int, forKey key: Key) throws { add(.integer(Int64(value)), key) }
    func encode(_ value: Int8, forKey key: Key) throws { add(.integer(Int64(value)), key) }
    func encode(_ value: Int16, forKey key: Key) throws { add(.integer(Int64(value)), key) }
    func encode(_ value: Int32, forKey key: Key) throws { add(.integer(Int64(value)), key) }
    func encode(_ value: Int64, forKey key: Key) throws { add(.integer(value), key) }
    func encode(_ value: UInt, forKey key: Key) throws { add(JSONValue(UInt64(value)), key) }
    func encode(_ value: UInt8, forKey key: Key) throws { add(.integer(Int64(value)), key) }
    func encode(_ value: UInt16, forKey key: Key) throws { add(.integer(Int64(value)), key) }
    func encode(_ value: UInt32, forKey key: Key) throws { add(.integer(Int64(value)), key) }
    func encode(_ value: UInt64, forKey key: Key) throws { add(JSONValue(value), key) }

    func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
        add(try TreeEncoder.tree(of: value, path: trail(key)), key)
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy keyType: NestedKey.Type, forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> {
        nested(key).container(keyedBy: keyType)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { nested(key).unkeyedContainer() }
    func superEncoder() -> any Encoder { nested(SuperKey()) }
    func superEncoder(forKey key: Key) -> any Encoder { nested(key) }

    private func trail(_ key: any CodingKey) -> CodingTrail { CodingTrail(key, after: path) }

    private func add(_ value: JSONValue, _ key: Key) { slot.add(value, forKey: key.stringValue) }

    private func nested(_ key: any CodingKey) -> TreeEncoder {
        TreeEncoder(slot: slot.addSlot(forKey: key.stringValue), path: trail(key))
    }
}
