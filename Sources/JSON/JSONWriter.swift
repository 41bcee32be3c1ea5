/// Writes JSON; equal values give equal bytes, since keys are always sorted.
public struct JSONWriter: Sendable {
    /// How the text is laid out.
    public enum Style: Sendable {
        /// No whitespace at all.
        case compact
        /// One member or element per line, indented by two spaces; no line feed at the end.
        case pretty
    }

    /// The layout in use.
    public let style: Style

    /// Makes a writer.
    ///
    /// - Parameter style: The layout; compact by default.
    public init(style: Style = .compact) {
        self.style = style
    }

    /// Writes a tree.
    ///
    /// A `.double` that is not finite, which no reader makes, is written as `null`.
    ///
    /// - Parameter value: The tree.
    /// - Returns: The text in UTF-8.
    public func write(_ value: JSONValue) -> [UInt8] {
        var output = JSONOutput(style: style)
        output.append(value)
        return output.bytes
    }

    /// Writes a tree.
    ///
    /// - Parameter value: The tree.
    /// - Returns: The text.
    public func string(_ value: JSONValue) -> String {
        String(decoding: write(value), as: UTF8.self)
    }

    /// Writes any encodable value.
    ///
    /// Optional properties that are nil are left out, as the compiler's `encode(to:)` does.
    ///
    /// - Parameter value: What to write.
    /// - Returns: The text in UTF-8.
    /// - Throws: `.unencodable`, or what an `encode(to:)` throws by itself.
    public func encode(_ value: some Encodable) throws -> [UInt8] {
        write(try self.value(of: value))
    }

    /// Turns any encodable value into a tree.
    ///
    /// - Parameter value: What to turn.
    /// - Returns: The tree; null when `value` encodes nothing.
    /// - Throws: `.unencodable`, or what an `encode(to:)` throws by itself.
    public func value(of value: some Encodable) throws -> JSONValue {
        do {
            return try TreeEncoder.tree(of: value, path: nil)
        } catch let error as EncodingError {
            throw JSONError(error)
        }
    }
}
