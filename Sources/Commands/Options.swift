/// What was typed after a command, by name.
public struct Options: Sendable, Equatable {
    private let values: [String: [String]]
    private let placed: [String: [String]]
    /// Whether the help is wanted and nothing else.
    public let wantsHelp: Bool

    /// Makes what was typed.
    ///
    /// - Parameters:
    ///   - values: The options by name; a flag has one empty value.
    ///   - arguments: The words that have their meaning by their place, by name.
    ///   - wantsHelp: Whether the help is wanted and nothing else.
    public init(_ values: [String: [String]] = [:], arguments: [String: [String]] = [:], wantsHelp: Bool = false) {
        self.values = values
        placed = arguments
        self.wantsHelp = wantsHelp
    }

    /// The value of an option; empty for a flag, nil where it was not given.
    public subscript(_ name: String) -> String? { values[name]?.last }

    /// Whether an option was given.
    public func has(_ name: String) -> Bool { values[name] != nil }

    /// All the values of an option that may be repeated, in order.
    public func all(_ name: String) -> [String] { values[name] ?? [] }

    /// A word by its place; nil where it was left out.
    public func argument(_ name: String) -> String? { placed[name]?.first }

    /// The words of an argument that takes several.
    public func arguments(_ name: String) -> [String] { placed[name] ?? [] }

    /// A word by its place without which the command makes no sense.
    ///
    /// - Throws: `UsageError` where it is missing or empty.
    public func requiredArgument(_ name: String) throws(UsageError) -> String {
        guard let word = placed[name]?.first, !word.isEmpty else { throw UsageError("<\(name)> is missing") }
        return word
    }

    /// A number in the range of its type.
    ///
    /// - Throws: `UsageError` for anything else.
    public func number<Number: FixedWidthInteger>(_ name: String) throws(UsageError) -> Number? {
        guard let text = self[name] else { return nil }
        guard let number = Number(text) else {
            throw UsageError("--\(name): \"\(Shown.word(text))\" is not a number from \(Number.min) to \(Number.max)")
        }
        return number
    }

    /// An option without which the command makes no sense.
    ///
    /// - Throws: `UsageError` where it is missing or empty.
    public func required(_ name: String) throws(UsageError) -> String {
        guard let value = self[name], !value.isEmpty else { throw UsageError("--\(name) is missing") }
        return value
    }

    /// One of several words.
    ///
    /// - Throws: `UsageError` that lists them.
    public func choice(_ name: String, of words: [String]) throws(UsageError) -> String? {
        guard let value = self[name] else { return nil }
        guard words.contains(value) else {
            throw UsageError("--\(name): '\(Shown.word(value))' is none of \(words.joined(separator: ", "))")
        }
        return value
    }
}
