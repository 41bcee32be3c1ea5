/// Adds elements to one array, for `encode(to:)`.
struct UnkeyedTreeEncoder: UnkeyedEncodingContainer {
    let slot: TreeEncoder.Slot
    let path: CodingTrail?

    var codingPath: [any CodingKey] { CodingTrail.codingPath(path) }

    var count: Int { slot.elementCount }

    func encodeNil() throws { add(.null) }
    func encode(_ value: Bool) throws { add(.bool(value)) }
    func encode(_ value: String) throws { add(.string(value)) }
    func encode(_ value: Double) throws { add(try TreeEncoder.number(value, trail())) }
    func encode(_ value: Float) throws { add(try TreeEncoder.number(value, trail())) }
    func encode(_ value: Int) throws { add(.integer(Int64(value))) }
    func encode(_ value: Int8) throws { add(.integer(Int64(value))) }
    func encode(_ value: Int16) throws { add(.integer(Int64(value))) }
    func encode(_ value: Int32) throws { add(.integer(Int64(value))) }
    func encode(_ value: Int64) throws { add(.integer(value)) }
    func encode(_ value: UInt) throws { add(JSONValue(UInt64(value))) }
    func encode(_ value: UInt8) throws { add(.integer(Int64(value))) }
    func encode(_ value: UInt16) throws { add(.integer(Int64(value))) }
    func encode(_ value: UInt32) throws { add(.integer(Int64(value))) }
    func encode(_ value: UInt64) throws { add(JSONValue(value)) }
    func encode<T: Encodable>(_ value: T) throws { add(try TreeEncoder.tree(of: value, path: trail())) }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy keyType: NestedKey.Type
    ) -> KeyedEncodingContainer<NestedKey> {
        nested().container(keyedBy: keyType)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { nested().unkeyedContainer() }
    func superEncoder() -> any Encoder { nested() }

    private func trail() -> CodingTrail { CodingTrail(IndexKey(count), after: path) }

    private func add(_ value: JSONValue) { slot.add(value) }

    private func nested() -> TreeEncoder {
        let path = trail()
        return TreeEncoder(slot: slot.addSlot(), path: path)
    }
}
