/// Reads YAML with the meaning that version 1.2 gives to it, and with limits.
///
/// Aliases are followed within limits, merge keys (`<<`) are applied as Kubernetes tools do, and keys that a mapping has
/// twice are refused. Input can never trap.
public struct YAMLReader: Sendable {
    /// How much the reader takes.
    public struct Limits: Sendable {
        /// Longest text in bytes.
        public var bytesMaximum: Int
        /// Deepest nesting, aliases followed; at most 512.
        public var depthMaximum: Int
        /// Most aliases in one text.
        public var aliasesMaximum: Int
        /// Largest result after following aliases, where a node counts 16 bytes and its text.
        public var expandedBytesMaximum: Int
        /// Most documents in one text.
        public var documentsMaximum: Int

        /// Makes limits; the defaults suit a file that a person wrote.
        ///
        /// - Parameters:
        ///   - bytesMaximum: Longest text in bytes; 4 MiB by default.
        ///   - depthMaximum: Deepest nesting, from 1 to 512; 100 by default.
        ///   - aliasesMaximum: Most aliases in one text; 1000 by default.
        ///   - expandedBytesMaximum: Largest result after following aliases; 32 MiB by default.
        ///   - documentsMaximum: Most documents in one text; 1000 by default.
        public init(
            bytesMaximum: Int = 4 << 20, depthMaximum: Int = 100, aliasesMaximum: Int = 1000,
            expandedBytesMaximum: Int = 32 << 20, documentsMaximum: Int = 1000
        ) {
            precondition((1...512).contains(depthMaximum), "depthMaximum is from 1 to 512")
            self.bytesMaximum = bytesMaximum
            self.depthMaximum = depthMaximum
            self.aliasesMaximum = aliasesMaximum
            self.expandedBytesMaximum = expandedBytesMaximum
            self.documentsMaximum = documentsMaximum
        }
    }

    /// What to do with a key that the type does not know.
    public enum UnknownKeys: Sendable {
        /// Skip it.
        case ignore
        /// Throw, naming the key and its place: a misspelt option is no option.
        ///
        /// A type must then know all its keys in one `CodingKeys`; the compiler's do.
        case refuse
    }

    /// The limits in force.
    public let limits: Limits
    /// What to do with a key that the type does not know.
    public let unknownKeys: UnknownKeys

    /// Makes a reader.
    ///
    /// - Parameters:
    ///   - limits: How much it takes.
    ///   - unknownKeys: What to do with a key that the type does not know; ignore it by default.
    public init(limits: Limits = Limits(), unknownKeys: UnknownKeys = .ignore) {
        self.limits = limits
        self.unknownKeys = unknownKeys
    }

    /// Reads a text of one document.
    ///
    /// - Parameter bytes: The text in UTF-8.
    /// - Returns: The document's value; null for an empty text.
    /// - Throws: `.malformed`, also when there is a second document, or `.limitExceeded`.
    public func parse(_ bytes: [UInt8]) throws(YAMLError) -> YAMLNode {
        let documents = try parseAll(bytes)
        guard documents.count <= 1 else {
            throw .malformed(reason: "expected one document, found \(documents.count)", location: documents[1].location)
        }
        return documents.first ?? YAMLNode(.scalar(YAMLScalar(plain: "")))
    }

    /// Reads a text of any number of documents.
    ///
    /// - Parameter bytes: The text in UTF-8.
    /// - Returns: Each document's value; null for an empty one.
    /// - Throws: `.malformed` or `.limitExceeded`.
    public func parseAll(_ bytes: [UInt8]) throws(YAMLError) -> [YAMLNode] {
        guard bytes.count <= limits.bytesMaximum else {
            throw .limitExceeded(
                reason: "the text has \(bytes.count) bytes, more than the \(limits.bytesMaximum) allowed",
                location: YAMLLocation(line: 1, column: 1))
        }
        return try bytes.withUnsafeBufferPointer { buffer throws(YAMLError) in
            var composer = YAMLComposer(events: YAMLEvents(buffer), limits: limits)
            return try composer.documents()
        }
    }

    /// Reads a text of one document as a type.
    ///
    /// A property of type `String` takes any unquoted scalar but null as it stands, so that `DEBUG: true` and
    /// `VERSION: 1.10` are what people mean.
    ///
    /// - Parameters:
    ///   - type: What to make.
    ///   - bytes: The text in UTF-8.
    /// - Returns: The value.
    /// - Throws: ``YAMLError``, or what an `init(from:)` of the type throws by itself.
    public func decode<T: Decodable>(_ type: T.Type, from bytes: [UInt8]) throws -> T {
        try decode(type, from: parse(bytes))
    }

    /// Turns a node into a type, by the same rules as from bytes.
    ///
    /// - Parameters:
    ///   - type: What to make.
    ///   - node: The value.
    /// - Returns: The value.
    /// - Throws: `.mismatch`, or what an `init(from:)` of the type throws by itself.
    public func decode<T: Decodable>(_ type: T.Type, from node: YAMLNode) throws -> T {
        do {
            return try NodeDecoder(node: node, path: nil, unknownKeys: unknownKeys).decode(type)
        } catch let error as DecodingError {
            throw YAMLError(error, in: node)
        }
    }
}
