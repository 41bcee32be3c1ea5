/// Writes YAML in block style; equal values give equal bytes.
///
/// Lists begin at the indent of their key, as `kubectl` prints them. Lines are never folded. A string that another YAML
/// reader, an old one included, could take for something else is written in double quotes; a text of several lines as
/// a literal block.
public struct YAMLWriter: Sendable {
    /// Makes a writer.
    public init() {}

    /// Writes one document.
    ///
    /// - Parameter node: The document's value.
    /// - Returns: The text in UTF-8, ending in a line feed.
    public func write(_ node: YAMLNode) -> [UInt8] {
        var output = YAMLOutput()
        output.appendDocument(node)
        return Array(output.text.utf8)
    }

    /// Writes several documents with `---` between them.
    ///
    /// - Parameter nodes: The documents' values.
    /// - Returns: The text in UTF-8; empty when there are none.
    public func write(all nodes: [YAMLNode]) -> [UInt8] {
        Array(nodes.map(write).joined(separator: Array("---\n".utf8)))
    }

    /// Writes any encodable value as one document.
    ///
    /// Keys come in the order in which the type encodes them; nil properties are left out, as the compiler's
    /// `encode(to:)` does.
    ///
    /// - Parameter value: What to write.
    /// - Returns: The text in UTF-8, ending in a line feed.
    /// - Throws: What an `encode(to:)` throws by itself; an `EncodingError` as `.unencodable`.
    public func encode(_ value: some Encodable) throws -> [UInt8] {
        write(try node(of: value))
    }

    /// Turns any encodable value into a node.
    ///
    /// - Parameter value: What to turn.
    /// - Returns: The node; null when `value` encodes nothing.
    /// - Throws: What an `encode(to:)` throws by itself; an `EncodingError` as `.unencodable`.
    public func node(of value: some Encodable) throws -> YAMLNode {
        let slot = NodeEncoder.Slot()
        do {
            try NodeEncoder(slot: slot, path: nil).encode(value)
        } catch let error as EncodingError {
            throw YAMLError(error)
        }
        return slot.node()
    }
}
