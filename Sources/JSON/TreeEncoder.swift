/// Turns `Encodable` types into a tree.
struct TreeEncoder: Encoder {
    let slot: Slot
    let path: CodingTrail?

    /// Where one encoded value grows; the containers of `Codable` share it by reference.
    final class Slot {
        enum Content {
            case nothing
            case value(JSONValue)
            case members([(String, Slot)])
            case elements([Slot])
        }

        var content: Content

        init(_ content: Content = .nothing) {
            self.content = content
        }

        func tree() -> JSONValue {
            switch content {
            case .nothing: .null
            case .value(let value): value
            case .members(let members):
                .object(JSONObject(lastOfEach: members.map { JSONObject.Member(key: $0.0, value: $0.1.tree()) }))
            case .elements(let elements): .array(elements.map { $0.tree() })
            }
        }

        func add(_ slot: Slot, forKey key: String) {
            var members: [(String, Slot)] = []
            if case .members(let existing) = content { members = existing }
            content = .nothing  // Gives up the reference, so that appending copies nothing.
            members.append((key, slot))
            content = .members(members)
        }

        func add(_ slot: Slot) {
            var elements: [Slot] = []
            if case .elements(let existing) = content { elements = existing }
            content = .nothing
            elements.append(slot)
            content = .elements(elements)
        }
    }

    var codingPath: [any CodingKey] { CodingTrail.codingPath(path) }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    static func tree(of value: some Encodable, path: CodingTrail?) throws -> JSONValue {
        if let ready = shortcut(value) { return ready }
        let slot = Slot()
        try value.encode(to: TreeEncoder(slot: slot, path: path))
        return slot.tree()
    }

    /// Types that are common in Kubernetes objects and slow by way of their `encode(to:)`.
    private static func shortcut(_ value: some Encodable) -> JSONValue? {
        if let value = value as? JSONValue { return value }
        if let value = value as? [String: String] { return .object(JSONObject(value.mapValues { .string($0) })) }
        if let value = value as? [String] { return .array(value.map { .string($0) }) }
        return nil
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if case .members = slot.content {} else { slot.content = .members([]) }
        return KeyedEncodingContainer(KeyedTreeEncoder(slot: slot, path: path))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .elements = slot.content {} else { slot.content = .elements([]) }
        return UnkeyedTreeEncoder(slot: slot, path: path)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { self }
}

extension TreeEncoder: SingleValueEncodingContainer {
    func encodeNil() throws { slot.content = .value(.null) }
    func encode(_ value: Bool) throws { slot.content = .value(.bool(value)) }
    func encode(_ value: String) throws { slot.content = .value(.string(value)) }
    func encode(_ value: Double) throws { slot.content = .value(try Self.number(value, path)) }
    func encode(_ value: Float) throws { slot.content = .value(try Self.number(value, path)) }
    func encode(_ value: Int) throws { slot.content = .value(.integer(Int64(value))) }
    func encode(_ value: Int8) throws { slot.content = .value(.integer(Int64(value))) }
    func encode(_ value: Int16) throws { slot.content = .value(.integer(Int64(value))) }
    func encode(_ value: Int32) throws { slot.content = .value(.integer(Int64(value))) }
    func encode(_ value: Int64) throws { slot.content = .value(.integer(value)) }
    func encode(_ value: UInt) throws { slot.content = .value(JSONValue(UInt64(value))) }
    func encode(_ value: UInt8) throws { slot.content = .value(.integer(Int64(value))) }
    func encode(_ value: UInt16) throws { slot.content = .value(.integer(Int64(value))) }
    func encode(_ value: UInt32) throws { slot.content = .value(.integer(Int64(value))) }
    func encode(_ value: UInt64) throws { slot.content = .value(JSONValue(value)) }

    func encode<T: Encodable>(_ value: T) throws {
        slot.content = .value(try Self.tree(of: value, path: path))
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
