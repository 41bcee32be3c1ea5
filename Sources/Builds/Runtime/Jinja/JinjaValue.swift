/// What an expression of a template can be: the part of Python's values that options are made of.
indirect enum JinjaValue: Sendable, Hashable {
    /// Nothing of that name exists; it renders to nothing.
    case undefined(String)
    case none
    case bool(Bool)
    case integer(Int)
    case text(String)
    case list([JinjaValue])
    case map([String: JinjaValue])

    /// What Python's `bool()` says.
    var isTrue: Bool {
        switch self {
        case .undefined, .none: false
        case .bool(let value): value
        case .integer(let value): value != 0
        case .text(let text): !text.isEmpty
        case .list(let elements): !elements.isEmpty
        case .map(let members): !members.isEmpty
        }
    }

    /// What it renders to: Python's `str()`, and nothing for what is undefined.
    var rendered: String {
        switch self {
        case .undefined: ""
        case .text(let text): text
        default: representation
        }
    }

    /// Python's `repr()`.
    private var representation: String {
        switch self {
        case .undefined: "Undefined"
        case .none: "None"
        case .bool(let value): value ? "True" : "False"
        case .integer(let value): String(value)
        case .text(let text): Self.quoted(text)
        case .list(let elements): "[" + elements.map(\.representation).joined(separator: ", ") + "]"
        case .map(let members):
            "{"
                + members.sorted { $0.key < $1.key }
                .map { Self.quoted($0.key) + ": " + $0.value.representation }.joined(separator: ", ") + "}"
        }
    }

    private static func quoted(_ text: String) -> String {
        let quote: Unicode.Scalar = text.contains("'") && !text.contains("\"") ? "\"" : "'"
        var result = String(quote)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case quote: result += "\\" + String(quote)
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let digits = String(scalar.value, radix: 16)
                result += "\\x" + (digits.count == 1 ? "0" : "") + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + String(quote)
    }

    /// About how many bytes work on it has to touch.
    var weight: Int {
        switch self {
        case .undefined, .none, .bool, .integer: 8
        case .text(let text): text.utf8.count
        case .list(let elements): elements.reduce(elements.count * 8) { $0 + $1.weight }
        case .map(let members): members.reduce(members.count * 8) { $0 + $1.key.utf8.count + $1.value.weight }
        }
    }

    /// Whether two values are equal in Python's sense; texts are compared by code points.
    func isEqual(to other: JinjaValue) -> Bool {
        switch (self, other) {
        case (.undefined, .undefined), (.none, .none): true
        case (.text(let left), .text(let right)): left.utf8.elementsEqual(right.utf8)
        case (.list(let left), .list(let right)):
            left.count == right.count && zip(left, right).allSatisfy { $0.isEqual(to: $1) }
        case (.map(let left), .map(let right)):
            left.count == right.count
                && left.allSatisfy { key, value in right[key].map { value.isEqual(to: $0) } ?? false }
        default: numeric.flatMap { left in other.numeric.map { left == $0 } } ?? false
        }
    }

    /// The value as a number; truth values are numbers in Python.
    var numeric: Int? {
        switch self {
        case .integer(let value): value
        case .bool(let value): value ? 1 : 0
        default: nil
        }
    }
}

extension JinjaValue {
    /// The value of an option.
    init(_ option: RuntimeOption) {
        switch option {
        case .text(let text): self = .text(text)
        case .list(let texts): self = .list(texts.map { .text($0) })
        }
    }
}
