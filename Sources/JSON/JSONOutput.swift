/// The bytes of a JSON text while they grow.
struct JSONOutput {
    let style: JSONWriter.Style
    private(set) var bytes: [UInt8] = []
    private var depth = 0

    init(style: JSONWriter.Style) {
        self.style = style
    }

    mutating func append(_ value: JSONValue) {
        switch value {
        case .null: append("null")
        case .bool(let value): append(value ? "true" : "false")
        case .integer(let value): append(value)
        case .unsigned(let value): append(value.description)
        case .double(let value): append(value.isFinite ? value.description : "null")
        case .string(let value): append(quoted: value)
        case .array(let elements): append(elements)
        case .object(let object): append(object)
        }
    }

    private mutating func append(_ elements: [JSONValue]) {
        bytes.append(UInt8(ascii: "["))
        guard !elements.isEmpty else { return bytes.append(UInt8(ascii: "]")) }
        depth += 1
        var isFirst = true
        for element in elements {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            startLine()
            append(element)
        }
        depth -= 1
        startLine()
        bytes.append(UInt8(ascii: "]"))
    }

    private mutating func append(_ object: JSONObject) {
        bytes.append(UInt8(ascii: "{"))
        guard !object.isEmpty else { return bytes.append(UInt8(ascii: "}")) }
        depth += 1
        var isFirst = true
        for member in object.members {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            startLine()
            append(quoted: member.key)
            bytes.append(UInt8(ascii: ":"))
            if style == .pretty { bytes.append(UInt8(ascii: " ")) }
            append(member.value)
        }
        depth -= 1
        startLine()
        bytes.append(UInt8(ascii: "}"))
    }

    private mutating func startLine() {
        guard style == .pretty else { return }
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * depth))
    }

    private mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    private mutating func append(_ number: Int64) {
        guard (0...9).contains(number) else { return append(number.description) }
        bytes.append(UInt8(ascii: "0") + UInt8(number))
    }

    /// Appends a string with its quotes, escaping only what RFC 8259 §7 demands.
    private mutating func append(quoted text: String) {
        bytes.append(UInt8(ascii: "\""))
        let isPlain = text.utf8.withContiguousStorageIfAvailable { units in
            guard !units.contains(where: Self.needsEscape) else { return false }
            bytes.append(contentsOf: units)
            return true
        }
        if isPlain != true { appendEscaping(text) }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func appendEscaping(_ text: String) {
        for unit in text.utf8 {
            guard Self.needsEscape(unit) else {
                bytes.append(unit)
                continue
            }
            switch unit {
            case UInt8(ascii: "\""): append("\\\"")
            case UInt8(ascii: "\\"): append("\\\\")
            case 0x08: append("\\b")
            case 0x0C: append("\\f")
            case 0x0A: append("\\n")
            case 0x0D: append("\\r")
            case 0x09: append("\\t")
            default: append(unit < 0x10 ? "\\u000" : "\\u00"); append(String(unit, radix: 16))
            }
        }
    }

    @inline(__always)
    private static func needsEscape(_ unit: UInt8) -> Bool {
        unit < 0x20 || unit == UInt8(ascii: "\"") || unit == UInt8(ascii: "\\")
    }
}
