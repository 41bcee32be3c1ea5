/// One value of a YAML document, with its place in the text.
public struct YAMLNode: Sendable {
    /// What a node can be.
    public enum Content: Sendable {
        /// A text, number, Boolean or null.
        case scalar(YAMLScalar)
        /// An ordered list.
        case sequence([YAMLNode])
        /// Values by key.
        case mapping(YAMLMapping)
    }

    /// What the node is.
    public let content: Content
    /// Where it begins; the first line and column for a node that no text had.
    public let location: YAMLLocation

    /// Makes a node.
    ///
    /// - Parameters:
    ///   - content: What it is.
    ///   - location: Where it begins.
    public init(_ content: Content, at location: YAMLLocation = YAMLLocation(line: 1, column: 1)) {
        self.content = content
        self.location = location
    }

    /// The value of a key; nil when there is none or when this is no mapping.
    ///
    /// - Parameter key: The key as text.
    public subscript(_ key: String) -> YAMLNode? {
        if case .mapping(let mapping) = content { mapping[key] } else { nil }
    }

    /// The text of the scalar, as it stands; nil for null, lists and mappings.
    public var text: String? {
        guard case .scalar(let scalar) = content, scalar.value != .null else { return nil }
        return scalar.text
    }

    /// The elements; nil when this is no sequence.
    public var elements: [YAMLNode]? {
        if case .sequence(let elements) = content { elements } else { nil }
    }

    /// The entries; nil when this is no mapping.
    public var mapping: YAMLMapping? {
        if case .mapping(let mapping) = content { mapping } else { nil }
    }

    /// What kind of value this is, for a message: "a string", "a mapping", "null".
    public var kind: String {
        switch content {
        case .scalar(let scalar): scalar.value.kind
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }
}

/// A place in a YAML text.
public struct YAMLLocation: Sendable, Hashable, CustomStringConvertible {
    /// The line, counting from 1.
    public let line: Int
    /// The character in that line, counting from 1.
    public let column: Int

    /// Makes a location.
    ///
    /// - Parameters:
    ///   - line: Counting from 1.
    ///   - column: Counting from 1.
    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    /// As people say it.
    public var description: String { "line \(line), column \(column)" }
}
