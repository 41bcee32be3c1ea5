/// Makes `Decodable` types from a tree.
struct TreeDecoder: Decoder {
    let value: JSONValue
    let path: CodingTrail?

    var codingPath: [any CodingKey] { CodingTrail.codingPath(path) }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .object(let object) = value else { throw mismatch("an object") }
        return KeyedDecodingContainer(KeyedTreeDecoder(object: object, path: path))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .array(let elements) = value else { throw mismatch("an array") }
        return UnkeyedTreeDecoder(elements: elements, path: path)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { self }

    /// The value as `expected`, or why it is not.
    private func mismatch(_ expected: String) -> JSONError {
        .mismatch(path: CodingTrail.text(path), reason: "expected \(expected), found \(value.kind)")
    }
}

extension TreeDecoder: SingleValueDecodingContainer {
    func decodeNil() -> Bool { value.isNull }

    func decode(_ type: Bool.Type) throws -> Bool {
        guard case .bool(let bool) = value else { throw mismatch("a Boolean") }
        return bool
    }

    func decode(_ type: String.Type) throws -> String {
        guard case .string(let string) = value else { throw mismatch("a string") }
        return string
    }

    func decode(_ type: Double.Type) throws -> Double {
        guard let number = value.doubleValue else { throw mismatch("a number") }
        return number
    }

    func decode(_ type: Float.Type) throws -> Float {
        let number = Float(try decode(Double.self))
        guard number.isFinite else {
            throw JSONError.mismatch(path: CodingTrail.text(path), reason: "the number is out of range")
        }
        return number
    }

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

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        if let ready = try shortcut(type), let ready = ready as? T { return ready }
        return try T(from: self)
    }

    /// The whole number, where it fits; `3.0` counts as 3.
    private func integer<T: FixedWidthInteger>(_ type: T.Type) throws -> T {
        let exact: T?
        switch value {
        case .integer(let number): exact = T(exactly: number)
        case .unsigned(let number): exact = T(exactly: number)
        case .double(let number):
            guard number.rounded() == number else { throw mismatch("an integer") }
            exact = T(exactly: number)
        default: throw mismatch("an integer")
        }
        guard let exact else {
            let range = "\(T.min) to \(T.max)"
            throw JSONError.mismatch(path: CodingTrail.text(path), reason: "expected an integer from \(range)")
        }
        return exact
    }

    /// Types that are common in Kubernetes objects and slow by way of their `init(from:)`.
    private func shortcut(_ type: any Decodable.Type) throws -> (any Sendable)? {
        if type == JSONValue.self { return value }
        if type == [String: String].self { return try strings() }
        if type == [String].self { return try stringList() }
        return nil
    }

    private func strings() throws -> [String: String] {
        guard case .object(let object) = value else { throw mismatch("an object") }
        var strings: [String: String] = [:]
        strings.reserveCapacity(object.count)
        for member in object.members {
            guard case .string(let string) = member.value else {
                let path = CodingTrail.text(codingPath) + "[\"\(member.key)\"]"
                throw JSONError.mismatch(path: path, reason: "expected a string, found \(member.value.kind)")
            }
            strings[member.key] = string
        }
        return strings
    }

    private func stringList() throws -> [String] {
        guard case .array(let elements) = value else { throw mismatch("an array") }
        var strings: [String] = []
        strings.reserveCapacity(elements.count)
        for element in elements {
            guard case .string(let string) = element else {
                let path = CodingTrail.text(path, IndexKey(strings.count))
                throw JSONError.mismatch(path: path, reason: "expected a string, found \(element.kind)")
            }
            strings.append(string)
        }
        return strings
    }
}
