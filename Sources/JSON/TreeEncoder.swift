/// Turns `Encodable` types into a tree.
struct TreeEncoder: Encoder {
    /// Where one encoded value grows; the containers of `Codable` share it by reference.
    final class Slot {
        private enum Shape {
            case value
            case object
            case array
        }

        private var shape = Shape.value
        private var value = JSONValue.null
        private var members: [JSONObject.Member] = []
        private var elements: [JSONValue] = []
        /// Members or elements that containers still fill, by their index.
        private var pending: [(index: Int, slot: Slot)] = []

        /// How many elements the array has so far.
        var elementCount: Int { elements.count }

        func set(_ newValue: JSONValue) {
            shape = .value
            value = newValue
        }

        func becomeObject() { shape = .object }
        func becomeArray() { shape = .array }
        func add(_ value: JSONValue, forKey key: String) { members.append(JSONObject.Member(key: key, value: value)) }
        func add(_ value: JSONValue) { elements.append(value) }

        func addSlot(forKey key: String) -> Slot {
            let slot = Slot()
            pending.append((members.count, slot))
            add(.null, forKey: key)
            return slot
        }

        func addSlot() -> Slot {
            let slot = Slot()
            pending.append((elements.count, slot))
            add(.null)
            return slot
        }

        func tree() -> JSONValue {
            switch shape {
            case .value: return value
            case .object:
                for (index, slot) in pending { members[index].value = slot.tree() }
                return .object(JSONObject(lastOfEach: members))
            case .array:
                for (index, slot) in pending { elements[index] = slot.tree() }
                return .array(elements)
            }
        }
    }

    let slot: Slot
    let path: CodingTrail?

    var codingPath: [any CodingKey] { CodingTrail.codingPath(path) }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    static func tree(of value: some Encodable, path: CodingTrail?) throws -> JSONValue {
        if let ready = shortcut(value) { return ready }
        let slot = Slot()
        try value.encode(to: TreeEncoder(slot: slot, path: path))
        return slot.tree()
    }

    /// Types that are common in Kubernetes objects and slow by way of their `encode(to:)`.
    private static func shortcut<T: Encodable>(_ value: T) -> JSONValue? {
        if T.self == JSONValue.self { return value as? JSONValue }
        if T.self == [String: String].self, let strings = value as? [String: String] {
            return .object(JSONObject(strings.mapValues { .string($0) }))
        }
        if T.self == [String].self, let strings = value as? [String] {
            return .array(strings.map { .string($0) })
        }
        return nil
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        slot.becomeObject()
        return KeyedEncodingContainer(KeyedTreeEncoder(slot: slot, path: path))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        slot.becomeArray()
        return UnkeyedTreeEncoder(slot: slot, path: path)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { self }
}

extension TreeEncoder: SingleValueEncodingContainer {
    func encodeNil() throws { slot.set(.null) }
    func encode(_ value: Bool) throws { slot.set(.bool(value)) }
    func encode(_ value: String) throws { slot.set(.string(value)) }
    func encode(_ value: Double) throws { slot.set(try Self.number(value, path)) }
    func encode(_ value: Float) throws { slot.set(try Self.number(value, path)) }
    func encode(_ value: Int) throws { slot.set(.integer(Int64(value))) }
    func encode(_ value: Int8) throws { slot.set(.integer(Int64(value))) }
    func encode(_ value: Int16) throws { slot.set(.integer(Int64(value))) }
    func encode(_ value: Int32) throws { slot.set(.integer(Int64(value))) }
    func encode(_ value: Int64) throws { slot.set(.integer(value)) }
    func encode(_ value: UInt) throws { slot.set(JSONValue(UInt64(value))) }
    func encode(_ value: UInt8) throws { slot.set(.integer(Int64(value))) }
    func encode(_ value: UInt16) throws { slot.set(.integer(Int64(value))) }
    func encode(_ value: UInt32) throws { slot.set(.integer(Int64(value))) }
    func encode(_ value: UInt64) throws { slot.set(JSONValue(value)) }

    func encode<T: Encodable>(_ value: T) throws {
        slot.set(try Self.tree(of: value, path: path))
    }

    /// A number as the shortest text that reads back as the same `Double`.
    static func number(_ value: Double, _ path: @autoclosure () -> CodingTrail?) throws -> JSONValue {
        guard value.isFinite else {
            throw JSONError.unencodable(path: CodingTrail.text(path()), reason: "\(value) has no JSON form")
        }
        return .double(value)
    }

    /// A number as the shortest text that reads back as the same `Float`, so that 0.1 stays 0.1.
    static func number(_ value: Float, _ path: @autoclosure () -> CodingTrail?) throws -> JSONValue {
        try number(Double(value.description) ?? Double(value), path())
    }
}
