/// One line of a log before it is text.
struct LogLine: Sendable {
    /// The longest value of a field in bytes; what is longer is cut, so that no input can fill the logs.
    static let valueBytesMaximum = 8192
    private static let reservedKeys: Set<String> = ["time", "level", "logger", "message"]

    var time = WallTime.now
    let level: LogLevel
    let label: String
    let message: StaticString
    let fields: LogFields

    func rendered(as format: LogFormat) -> [UInt8] {
        switch format {
        case .json: json()
        case .text: text()
        }
    }

    private func json() -> [UInt8] {
        var line = Array(#"{"time":""#.utf8)
        line.append(contentsOf: time.text.utf8)
        line.append(contentsOf: #"","level":""#.utf8)
        line.append(contentsOf: level.name.utf8)
        line.append(contentsOf: #"","logger":"#.utf8)
        Self.append(quoted: label, to: &line)
        line.append(contentsOf: #","message":"#.utf8)
        Self.append(quoted: message.description, to: &line)
        for (key, value) in fields.pairs {
            line.append(UInt8(ascii: ","))
            Self.append(quoted: Self.reservedKeys.contains(key) ? key + "_" : key, to: &line)
            line.append(UInt8(ascii: ":"))
            if let number = Self.bareJSON(value) {
                line.append(contentsOf: number.utf8)
            } else {
                Self.append(quoted: Self.cut(value.description), to: &line)
            }
        }
        line.append(contentsOf: "}\n".utf8)
        return line
    }

    private func text() -> [UInt8] {
        var line = Array("\(time.text) \(level.name.uppercased()) \(label): \(message)".utf8)
        for (key, value) in fields.pairs {
            line.append(UInt8(ascii: " "))
            Self.append(word: key, to: &line)
            line.append(UInt8(ascii: "="))
            Self.append(word: Self.cut(value.description), to: &line)
        }
        line.append(UInt8(ascii: "\n"))
        return line
    }

    /// A value that needs no quotes in JSON.
    private static func bareJSON(_ value: LogFields.Value) -> String? {
        switch value {
        case let value as Bool: value.description
        case let value as any FixedWidthInteger: value.description
        case let value as Double: value.isFinite ? value.description : nil
        default: nil
        }
    }

    private static func cut(_ text: String) -> String {
        guard text.utf8.count > valueBytesMaximum else { return text }
        return String(decoding: text.utf8.prefix(valueBytesMaximum), as: UTF8.self) + "…"
    }

    /// Appends a text as it is where it is one plain word, else in quotes.
    private static func append(word: String, to line: inout [UInt8]) {
        let isPlain = word.utf8.allSatisfy {
            (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=")
        }
        if isPlain, !word.isEmpty {
            line.append(contentsOf: word.utf8)
        } else {
            append(quoted: word, to: &line)
        }
    }

    /// Appends a JSON string (RFC 8259 §7); control characters are escaped, so that no value can begin a line.
    private static func append(quoted text: String, to line: inout [UInt8]) {
        line.append(UInt8(ascii: "\""))
        for unit in text.utf8 {
            switch unit {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                line.append(UInt8(ascii: "\\"))
                line.append(unit)
            case UInt8(ascii: "\n"): line.append(contentsOf: "\\n".utf8)
            case UInt8(ascii: "\t"): line.append(contentsOf: "\\t".utf8)
            case UInt8(ascii: "\r"): line.append(contentsOf: "\\r".utf8)
            case 0..<0x20, 0x7F:
                line.append(contentsOf: (unit < 0x10 ? "\\u000" : "\\u00").utf8)
                line.append(contentsOf: String(unit, radix: 16).utf8)
            default: line.append(unit)
            }
        }
        line.append(UInt8(ascii: "\""))
    }
}
