import YAML

/// Replaces `${…}` in the raw text of a stack file, as faas-cli's envsubst does before it reads the YAML.
///
/// Only `${…}` counts: `$NAME` stays as it is, and `$$` is a dollar sign, so that `$${NAME}` is the text `${NAME}`. A
/// variable that is unset is empty. The functions are those of drone/envsubst:
///
/// | form | gives |
/// |---|---|
/// | `${v:-d}` `${v:=d}` `${v=d}` `${v:?d}` `${v:+d}` | `d` when `v` is unset or empty; `d` may hold `${…}` |
/// | `${v^}` `${v^^}` `${v,}` `${v,,}` | first letter or all in capitals; in small letters |
/// | `${#v}` `${v:2}` `${v:2:3}` | length; the part from a place on; so much of it |
/// | `${v#p}` `${v##p}` `${v%p}` `${v%%p}` | without the shortest or longest start or end that the pattern matches |
/// | `${v/a/b}` `${v//a/b}` `${v/#a/b}` `${v/%a/b}` | with the first `a` replaced, all, one at the start, one at the end |
///
/// Anything else, as `${v-d}` and `${v+d}`, is refused wherever it stands, in comments too. Lengths and places count
/// characters of Unicode (scalars). Work and result are bounded.
struct EnvironmentSubstitution {
    /// What is wrong, and where.
    struct Failure: Error, Equatable {
        let location: YAMLLocation
        let reason: String
    }

    /// The most that comes out, in bytes.
    let bytesMaximum: Int
    private let variables: [String: String]
    private let text: [Unicode.Scalar]
    private var position = 0
    private var depth = 0
    /// Steps that are left: each character that a function makes or compares is one.
    private var steps: Int

    /// Reads a text and replaces all that is to be replaced.
    ///
    /// - Parameters:
    ///   - text: The raw text.
    ///   - variables: All there are; nothing else of the process is ever looked at.
    ///   - bytesMaximum: The most that may come out.
    /// - Returns: The text with values in place of `${…}`.
    static func expand(
        _ text: String, variables: [String: String], bytesMaximum: Int
    ) throws(Failure) -> String {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
        var substitution = EnvironmentSubstitution(text, variables: variables, bytesMaximum: bytesMaximum)
        return try substitution.expanded()
    }

    private init(_ text: String, variables: [String: String], bytesMaximum: Int) {
        self.variables = variables
        self.bytesMaximum = bytesMaximum
        self.text = Array(text.unicodeScalars)
        steps = Self.stepsMaximum
    }

    /// How deep `${…}` may lie in `${…}`.
    private static let depthMaximum = 16
    /// A stack file of 256 KiB needs fewer; a million take some milliseconds.
    private static let stepsMaximum = 1 << 20

    private mutating func expanded() throws(Failure) -> String {
        var result = String.UnicodeScalarView()
        var bytes = 0
        while let scalar = peek() {
            if scalar == "$", peek(1) == "$" {
                position += 2
                result.append("$")
                bytes += 1
            } else if scalar == "$", peek(1) == "{" {
                let start = position
                let value = try substitution()
                bytes += value.utf8.count
                guard bytes <= bytesMaximum else { throw tooLarge(at: start) }
                result.append(contentsOf: value.unicodeScalars)
            } else {
                position += 1
                bytes += UTF8.width(scalar)
                result.append(scalar)
            }
        }
        guard bytes <= bytesMaximum else { throw tooLarge(at: position) }
        return String(result)
    }

    // MARK: - Grammar

    /// Reads from `${` to the `}` that ends it.
    private mutating func substitution() throws(Failure) -> String {
        let start = position
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthMaximum else {
            throw failure("${…} lies more than \(Self.depthMaximum) deep in itself", at: start)
        }
        position += 2
        if peek() == "#" {
            position += 1
            let value = value(of: try name(start))
            try close(start)
            return String(value.unicodeScalars.count)
        }
        let value = value(of: try name(start))
        let result = try function(of: value, start)
        try spend(result.utf8.count, start)
        return result
    }

    private mutating func function(of value: String, _ start: Int) throws(Failure) -> String {
        switch peek() {
        case "}":
            position += 1
            return value
        case "=":
            position += 1
            return try fallback(for: value, start)
        case ":":
            position += 1
            if let next = peek(), "=-?+".unicodeScalars.contains(next) {
                position += 1
                return try fallback(for: value, start)
            }
            return try part(of: value, start)
        case "^", ",": return try casing(of: value, start)
        case "#", "%": return try trimming(of: value, start)
        case "/": return try replacing(in: value, start)
        case nil: throw failure("a } is missing", at: start)
        default: throw failure("this is no substitution; write $${ for a literal ${", at: start)
        }
    }

    private mutating func name(_ start: Int) throws(Failure) -> String {
        let first = position
        while let scalar = peek(),
            scalar.properties.isAlphabetic || scalar.properties.numericType != nil || scalar == "_"
        {
            position += 1
        }
        guard position > first else { throw failure("the name of a variable is missing", at: start) }
        return string(text[first..<position])
    }

    /// `d}` of `${v:-d}`.
    private mutating func fallback(for value: String, _ start: Int) throws(Failure) -> String {
        let other = try argument(until: ["}"], start)
        try close(start)
        return value.isEmpty ? other : value
    }

    /// `2}` or `2:3}` of `${v:2:3}`.
    private mutating func part(of value: String, _ start: Int) throws(Failure) -> String {
        let from = try argument(until: [":", "}"], start)
        guard !from.isEmpty else { throw failure("a number is missing behind the colon", at: start) }
        var length: String?
        if peek() == ":" {
            position += 1
            length = try argument(until: ["}"], start)
        }
        try close(start)
        // As in a shell, what is no number leaves the value as it is.
        guard let offset = Int(from) else { return value }
        let scalars = Array(value.unicodeScalars)
        let first = offset < 0 ? max(0, scalars.count - Int(clamping: offset.magnitude)) : min(offset, scalars.count)
        guard let length else { return string(scalars[first...]) }
        guard let count = Int(length) else { return value }
        return string(scalars[first...].prefix(max(0, count)))
    }

    private mutating func casing(of value: String, _ start: Int) throws(Failure) -> String {
        guard let sign = peek() else { throw failure("a } is missing", at: start) }
        position += 1
        let isAll = peek() == sign
        if isAll { position += 1 }
        try close(start)
        func changed(_ text: String) -> String { sign == "^" ? text.uppercased() : text.lowercased() }
        guard !isAll, let first = value.unicodeScalars.first else { return changed(value) }
        return changed(String(first)) + string(value.unicodeScalars.dropFirst())
    }

    private mutating func trimming(of value: String, _ start: Int) throws(Failure) -> String {
        guard let sign = peek() else { throw failure("a } is missing", at: start) }
        position += 1
        let isLongest = peek() == sign
        if isLongest { position += 1 }
        let text = try argument(until: ["}"], start)
        guard !text.isEmpty else { throw failure("a pattern is missing", at: start) }
        try close(start)
        guard let pattern = ShellPattern(text) else { return value }
        let scalars = Array(value.unicodeScalars)
        try spend(scalars.count * pattern.cost, start)
        if sign == "#" {
            let lengths = pattern.prefixLengths(of: scalars)
            guard let length = isLongest ? lengths.max() : lengths.min() else { return value }
            return string(scalars.dropFirst(length))
        }
        let lengths = pattern.reversed.prefixLengths(of: scalars.reversed())
        guard let length = isLongest ? lengths.max() : lengths.min() else { return value }
        return string(scalars.dropLast(length))
    }

    private mutating func replacing(in value: String, _ start: Int) throws(Failure) -> String {
        position += 1
        let sign = peek()
        if sign == "/" || sign == "#" || sign == "%" { position += 1 }
        let pattern = try argument(until: ["/", "}"], start, unescapes: true)
        guard !pattern.isEmpty else { throw failure("there is nothing to replace between the slashes", at: start) }
        guard peek() == "/" else { throw failure("a / with the replacement is missing", at: start) }
        position += 1
        let replacement = try argument(until: ["}"], start, unescapes: true)
        try close(start)
        try spend(value.utf8.count, start)
        switch sign {
        case "#":
            return value.hasPrefix(pattern) ? replacement + value.dropFirst(pattern.count) : value
        case "%":
            return value.hasSuffix(pattern) ? value.dropLast(pattern.count) + replacement : value
        default:
            let pieces = value.split(
                separator: pattern, maxSplits: sign == "/" ? .max : 1, omittingEmptySubsequences: false)
            // What would come out is counted before it is made.
            let (bytes, isTooMuch) = (pieces.count - 1).multipliedReportingOverflow(by: replacement.utf8.count)
            guard !isTooMuch, bytes <= bytesMaximum else { throw tooLarge(at: start) }
            return pieces.joined(separator: replacement)
        }
    }

    /// Text and nested `${…}` up to one of some signs, which is not read.
    private mutating func argument(
        until ends: Set<Unicode.Scalar>, _ start: Int, unescapes: Bool = false
    ) throws(Failure) -> String {
        var result = String.UnicodeScalarView()
        while let scalar = peek(), !ends.contains(scalar) {
            if scalar == "$", peek(1) == "{" {
                result.append(contentsOf: try substitution().unicodeScalars)
            } else if unescapes, scalar == "\\", let next = peek(1), next == "/" || next == "\\" {
                position += 2
                result.append(next)
            } else {
                position += 1
                result.append(scalar)
            }
        }
        guard peek() != nil else { throw failure("a } is missing", at: start) }
        return String(result)
    }

    private mutating func close(_ start: Int) throws(Failure) {
        guard peek() == "}" else {
            throw failure(peek() == nil ? "a } is missing" : "this is no substitution; a } is expected", at: start)
        }
        position += 1
    }

    // MARK: - Parts

    private func value(of name: String) -> String { variables[name] ?? "" }

    private func peek(_ ahead: Int = 0) -> Unicode.Scalar? {
        position + ahead < text.count ? text[position + ahead] : nil
    }

    private func string(_ scalars: some Sequence<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    private mutating func spend(_ count: Int, _ start: Int) throws(Failure) {
        steps -= count
        guard steps >= 0 else { throw failure("the substitutions take too long", at: start) }
    }

    private func tooLarge(at place: Int) -> Failure {
        failure("the text has more than \(bytesMaximum) bytes once variables are replaced", at: place)
    }

    private func failure(_ reason: String, at place: Int) -> Failure {
        let before = text[..<min(place, text.count)]
        let line = before.count(where: { $0 == "\n" }) + 1
        let column = before.count - (before.lastIndex(of: "\n").map { $0 + 1 } ?? 0) + 1
        return Failure(location: YAMLLocation(line: line, column: column), reason: reason)
    }
}
