/// One pass over one JSON text, by recursive descent.
///
/// The bytes are a parameter of each method instead of a property, since a type that stores a `Span` needs lifetime
/// annotations.
struct JSONParser: ~Copyable {
    let limits: JSONReader.Limits
    /// The member of the outermost object that is an array whose elements are found and not read.
    private let listKey: String?
    /// Where the elements of that array are.
    private(set) var elementRanges: [Range<Int>] = []
    /// What is left out of the value at hand; nil where nothing is.
    private var leftOut: LeftOutMembers?
    var position = 0
    var keyCache = KeyCache()
    var depth = 0
    private var elements = ScratchStack<JSONValue>()
    private var members = ScratchStack<JSONObject.Member>()

    init(limits: JSONReader.Limits, listing listKey: String? = nil, leavingOut leftOut: LeftOutMembers? = nil) {
        self.limits = limits
        self.listKey = listKey
        self.leftOut = leftOut
    }

    mutating func document(_ bytes: Span<UInt8>) throws(JSONError) -> JSONValue {
        guard bytes.count <= limits.bytesMaximum else {
            throw .limitExceeded(
                reason: "the text has \(bytes.count) bytes, more than the \(limits.bytesMaximum) allowed",
                location: JSONLocation(offset: 0, in: bytes))
        }
        skipWhitespace(bytes)
        let value = try self.value(bytes)
        skipWhitespace(bytes)
        guard position == bytes.count else {
            throw malformed("unexpected \(found(bytes)) after the end of the value", bytes)
        }
        return value
    }

    /// Reads an element that was found by an earlier pass over the same text.
    mutating func element(_ bytes: Span<UInt8>, at range: Range<Int>) throws(JSONError) -> JSONValue {
        position = range.lowerBound
        // The outermost object and the array.
        depth = 2
        return try value(bytes)
    }

    mutating func value(_ bytes: Span<UInt8>) throws(JSONError) -> JSONValue {
        guard position < bytes.count else {
            throw malformed("expected a value, found the end of the text", bytes)
        }
        switch bytes[position] {
        case UInt8(ascii: "\""):
            return .string(try string(bytes))
        case UInt8(ascii: "{"):
            return try object(bytes)
        case UInt8(ascii: "["):
            return try array(bytes)
        case UInt8(ascii: "t"):
            try literal("true", bytes)
            return .bool(true)
        case UInt8(ascii: "f"):
            try literal("false", bytes)
            return .bool(false)
        case UInt8(ascii: "n"):
            try literal("null", bytes)
            return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return try number(bytes)
        default:
            throw malformed("expected a value, found \(found(bytes))", bytes)
        }
    }

    private mutating func array(_ bytes: Span<UInt8>) throws(JSONError) -> JSONValue {
        let bottom = elements.count
        try enter(bytes)
        defer { depth -= 1 }
        skipWhitespace(bytes)
        if take(UInt8(ascii: "]"), bytes) { return .array([]) }
        while true {
            skipWhitespace(bytes)
            elements.push(try value(bytes))
            if try isArrayOver(bytes) { return .array(elements.pop(downTo: bottom)) }
        }
    }

    /// Steps over what follows an element.
    ///
    /// - Returns: Whether it was the last one.
    mutating func isArrayOver(_ bytes: Span<UInt8>) throws(JSONError) -> Bool {
        skipWhitespace(bytes)
        if take(UInt8(ascii: ","), bytes) { return false }
        if take(UInt8(ascii: "]"), bytes) { return true }
        throw malformed("expected a comma or the end of the array, found \(found(bytes))", bytes)
    }

    /// Finds the elements if it is an array that comes; an empty one stands for it.
    private mutating func list(_ bytes: Span<UInt8>) throws(JSONError) -> JSONValue {
        guard position < bytes.count, bytes[position] == UInt8(ascii: "[") else { return try value(bytes) }
        var found: [Range<Int>] = []
        try skipArray(bytes) { found.append($0) }
        elementRanges = found
        return .array([])
    }

    private mutating func object(_ bytes: Span<UInt8>) throws(JSONError) -> JSONValue {
        let bottom = members.count
        let start = position
        try enter(bytes)
        defer { depth -= 1 }
        skipWhitespace(bytes)
        if take(UInt8(ascii: "}"), bytes) { return .object(JSONObject()) }
        while true {
            skipWhitespace(bytes)
            try expectKey(bytes)
            let key = try string(bytes, isKey: true)
            try stepOverColon(bytes)
            if let value = try member(key, bytes) {
                members.push(JSONObject.Member(key: key, value: value))
            }
            if try isObjectOver(bytes) { break }
        }
        members.sort(from: bottom) { $0.key < $1.key }
        do {
            return .object(try JSONObject(sorted: members.pop(downTo: bottom)))
        } catch {
            throw malformed("the object has the key \"\(error.key.prefix(64))\" twice", bytes, at: start)
        }
    }

    /// The value of a member; `nil` when it is left out.
    @inline(__always)
    private mutating func member(_ key: String, _ bytes: Span<UInt8>) throws(JSONError) -> JSONValue? {
        guard let here = leftOut else {
            return depth == 1 && key == listKey ? try list(bytes) : try value(bytes)
        }
        switch here.find(key) {
        case .all:
            try skip(bytes)
            return nil
        case .some(let below):
            leftOut = below
        case .nothing:
            leftOut = nil
        }
        defer { leftOut = here }
        return try value(bytes)
    }

    func expectKey(_ bytes: Span<UInt8>) throws(JSONError) {
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
            throw malformed("expected a key in quotes, found \(found(bytes))", bytes)
        }
    }

    /// Steps from the end of a key to its value.
    mutating func stepOverColon(_ bytes: Span<UInt8>) throws(JSONError) {
        skipWhitespace(bytes)
        guard take(UInt8(ascii: ":"), bytes) else {
            throw malformed("expected a colon after the key, found \(found(bytes))", bytes)
        }
        skipWhitespace(bytes)
    }

    /// Steps over what follows a member.
    ///
    /// - Returns: Whether it was the last one.
    mutating func isObjectOver(_ bytes: Span<UInt8>) throws(JSONError) -> Bool {
        skipWhitespace(bytes)
        if take(UInt8(ascii: ","), bytes) { return false }
        if take(UInt8(ascii: "}"), bytes) { return true }
        throw malformed("expected a comma or the end of the object, found \(found(bytes))", bytes)
    }

    /// Steps over an opening bracket and counts one level more.
    mutating func enter(_ bytes: Span<UInt8>) throws(JSONError) {
        guard depth < limits.depthMaximum else {
            throw .limitExceeded(
                reason: "arrays and objects nest deeper than the \(limits.depthMaximum) levels allowed",
                location: JSONLocation(offset: position, in: bytes))
        }
        depth += 1
        position += 1
    }

    private mutating func literal(_ text: StaticString, _ bytes: Span<UInt8>) throws(JSONError) {
        let start = position
        for index in 0..<text.utf8CodeUnitCount {
            guard start + index < bytes.count, bytes[start + index] == text.utf8Start[index] else {
                throw malformed("expected \(text)", bytes)
            }
        }
        position = start + text.utf8CodeUnitCount
    }

    @inline(__always)
    mutating func skipWhitespace(_ bytes: Span<UInt8>) {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    @inline(__always)
    mutating func take(_ byte: UInt8, _ bytes: Span<UInt8>) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    /// The byte at the current position, for a message.
    func found(_ bytes: Span<UInt8>) -> String {
        guard position < bytes.count else { return "the end of the text" }
        let byte = bytes[position]
        if (0x21...0x7E).contains(byte) { return "'\(Unicode.Scalar(byte))'" }
        return "the byte 0x" + String(byte, radix: 16, uppercase: true)
    }

    func malformed(_ reason: String, _ bytes: Span<UInt8>, at offset: Int? = nil) -> JSONError {
        .malformed(reason: reason, location: JSONLocation(offset: offset ?? position, in: bytes))
    }
}
