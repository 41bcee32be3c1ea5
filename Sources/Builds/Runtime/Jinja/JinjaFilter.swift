/// What a value can be sent through with `|`, with Jinja2's meaning.
enum JinjaFilter: String, Sendable, CaseIterable {
    case `default`, join, length, lower, replace, title, trim, upper

    /// The filter of that name; `d` and `count` are Jinja2's other names of two of them.
    init?(named name: String) {
        switch name {
        case "d": self = .default
        case "count": self = .length
        default: self.init(rawValue: name)
        }
    }

    static let known = allCases.map(\.rawValue).joined(separator: ", ")

    /// How many arguments it takes.
    var arguments: ClosedRange<Int> {
        switch self {
        case .length, .lower, .title, .trim, .upper: 0...0
        case .join: 0...1
        case .default: 0...2
        case .replace: 2...2
        }
    }

    var argumentsInWords: String {
        arguments.upperBound == 0
            ? "no argument"
            : arguments.lowerBound == arguments.upperBound
                ? "\(arguments.upperBound) arguments" : "at most \(arguments.upperBound) of them as arguments"
    }

    /// Applies it.
    ///
    /// - Parameters:
    ///   - bytesMaximum: The result may not have more.
    /// - Throws: The reason, in words.
    func apply(
        to value: JinjaValue, _ arguments: [JinjaValue], bytesMaximum: Int
    ) throws(JinjaFilterError) -> JinjaValue {
        switch self {
        case .default:
            let replacement = arguments.first ?? .text("")
            if case .undefined = value { return replacement }
            return arguments.count > 1 && arguments[1].isTrue && !value.isTrue ? replacement : value
        case .join: return .text(try Self.join(try value.elements(), arguments.first?.rendered ?? "", bytesMaximum))
        case .length:
            switch value {
            case .none, .bool, .integer: throw JinjaFilterError("this value has no length")
            default: return .integer(try value.elements().count)
            }
        case .lower: return .text(value.rendered.lowercased())
        case .upper: return .text(value.rendered.uppercased())
        case .title: return .text(Self.title(value.rendered))
        case .trim: return .text(Self.trimmed(value.rendered))
        case .replace:
            return .text(
                try Self.replace(value.rendered, arguments[0].rendered, arguments[1].rendered, bytesMaximum))
        }
    }

    private static func join(
        _ elements: [JinjaValue], _ separator: String, _ bytesMaximum: Int
    ) throws(JinjaFilterError) -> String {
        var result = ""
        for (index, element) in elements.enumerated() {
            if index > 0 { result += separator }
            result += element.rendered
            guard result.utf8.count <= bytesMaximum else { throw .tooLong }
        }
        return result
    }

    /// Each word begins large and goes on small; words are divided by white space, `-`, and opening brackets.
    private static func title(_ text: String) -> String {
        var result = ""
        var isStart = true
        for scalar in text.unicodeScalars {
            let isDivider = scalar.properties.isWhitespace || "-({[<".unicodeScalars.contains(scalar)
            if isDivider {
                result.unicodeScalars.append(scalar)
            } else {
                result += isStart ? scalar.properties.uppercaseMapping : scalar.properties.lowercaseMapping
            }
            isStart = isDivider
        }
        return result
    }

    private static func trimmed(_ text: String) -> String {
        var rest = text.unicodeScalars[...]
        while let first = rest.first, first.properties.isWhitespace { rest.removeFirst() }
        while let last = rest.last, last.properties.isWhitespace { rest.removeLast() }
        return String(String.UnicodeScalarView(rest))
    }

    /// Python's `replace`, code point by code point; nothing is found between all code points.
    private static func replace(
        _ text: String, _ old: String, _ new: String, _ bytesMaximum: Int
    ) throws(JinjaFilterError) -> String {
        let wanted = Array(old.unicodeScalars)
        let scalars = Array(text.unicodeScalars)
        var result = wanted.isEmpty ? new : ""
        var index = 0
        while index < scalars.count {
            if !wanted.isEmpty, scalars[index...].starts(with: wanted) {
                result += new
                index += wanted.count
            } else {
                result.unicodeScalars.append(scalars[index])
                if wanted.isEmpty { result += new }
                index += 1
            }
            guard result.utf8.count <= bytesMaximum else { throw .tooLong }
        }
        return result
    }
}

/// Why a value cannot be worked on; the renderer adds the line.
struct JinjaFilterError: Error {
    let message: String

    init(_ message: String) { self.message = message }

    static let tooLong = JinjaFilterError("a text grows too long")
}

extension JinjaValue {
    /// What there is to go through: elements, code points, keys; nothing when it is undefined.
    func elements() throws(JinjaFilterError) -> [JinjaValue] {
        switch self {
        case .undefined: []
        case .list(let elements): elements
        case .text(let text): text.unicodeScalars.map { .text(String($0)) }
        case .map(let members): members.keys.sorted().map { .text($0) }
        case .none, .bool, .integer: throw JinjaFilterError("there is nothing in this value to go through")
        }
    }
}
