/// The header fields of one message, in their order; names compare without regard to case (RFC 9110 §5).
///
/// Nothing in it can break out of its line: a name that is no token is refused and control characters in a value
/// become spaces, so a value of unknown origin cannot add fields of its own. Values are text: bytes that are not
/// UTF-8 were replaced when they were read, so the proxy path never goes through this type.
public struct HTTPHeaders: Sendable, Equatable {
    /// One field: a name as it was written and its value without surrounding blanks.
    public struct Field: Sendable, Equatable {
        /// The name, in the case it was given.
        public let name: String
        /// The value, without leading and trailing blanks.
        public let value: String
    }

    /// All fields, in order, repeated names included.
    public private(set) var fields: [Field]

    /// Makes an empty header section.
    public init() {
        fields = []
    }

    /// Makes a header section of `pairs`, in order; a pair whose name is no token is left out.
    public init(_ pairs: [(String, String)]) {
        fields = []
        for (name, value) in pairs {
            add(name, value)
        }
    }

    /// How many fields there are, repeated names counted each.
    public var count: Int { fields.count }

    /// Whether there is no field.
    public var isEmpty: Bool { fields.isEmpty }

    /// The first value under `name`; setting replaces every field of that name, `nil` removes them.
    public subscript(name: String) -> String? {
        get { fields.first { Self.equal($0.name, name) }?.value }
        set {
            if let newValue {
                set(name, newValue)
            } else {
                remove(name)
            }
        }
    }

    /// All values under `name`, in order.
    public func values(for name: String) -> [String] {
        fields.filter { Self.equal($0.name, name) }.map(\.value)
    }

    /// Whether there is a field called `name`.
    public func contains(_ name: String) -> Bool {
        fields.contains { Self.equal($0.name, name) }
    }

    /// Appends a field.
    ///
    /// - Returns: `false`, with nothing added, when `name` is not a token (RFC 9110 §5.6.2).
    @discardableResult
    public mutating func add(_ name: String, _ value: String) -> Bool {
        guard !name.isEmpty, name.utf8.allSatisfy(HTTPCharacters.isToken) else { return false }
        fields.append(Field(name: name, value: Self.clean(value)))
        return true
    }

    /// Replaces every field called `name` by one, at the place of the first.
    ///
    /// - Returns: `false`, with nothing changed, when `name` is not a token.
    @discardableResult
    public mutating func set(_ name: String, _ value: String) -> Bool {
        guard let index = fields.firstIndex(where: { Self.equal($0.name, name) }) else { return add(name, value) }
        fields[index] = Field(name: fields[index].name, value: Self.clean(value))
        var seen = false
        fields.removeAll { field in
            guard Self.equal(field.name, name) else { return false }
            defer { seen = true }
            return seen
        }
        return true
    }

    /// Removes every field called `name`.
    public mutating func remove(_ name: String) {
        fields.removeAll { Self.equal($0.name, name) }
    }

    /// Compares two names without regard to ASCII case.
    static func equal(_ left: String, _ right: String) -> Bool {
        let left = left.utf8
        let right = right.utf8
        return left.count == right.count
            && zip(left, right).allSatisfy { HTTPCharacters.lowercased($0) == HTTPCharacters.lowercased($1) }
    }

    /// Returns `value` without surrounding blanks, and with a space in the place of each control character but tab.
    private static func clean(_ value: String) -> String {
        let bytes = value.utf8
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        let isClean =
            bytes.allSatisfy(HTTPCharacters.isFieldContent)
            && !(bytes.first.map(isBlank) ?? false) && !(bytes.last.map(isBlank) ?? false)
        if isClean {
            return value
        }
        let mapped = bytes.map { HTTPCharacters.isFieldContent($0) ? $0 : 0x20 }
        let trimmed = mapped.drop(while: isBlank).reversed().drop(while: isBlank).reversed()
        return String(decoding: Array(trimmed), as: UTF8.self)
    }
}
