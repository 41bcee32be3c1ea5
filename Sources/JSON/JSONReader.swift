/// Reads JSON strictly as RFC 8259 has it, and refuses what parsers disagree about.
///
/// Refused are: invalid UTF-8, a byte order mark, lone surrogates, control characters in strings, leading zeros, numbers
/// beyond `Double`, keys that an object has twice, anything after the value, and what passes the limits. Input can
/// never trap.
public struct JSONReader: Sendable {
    /// How much the reader takes.
    public struct Limits: Sendable {
        /// Longest text in bytes.
        public var bytesMaximum: Int
        /// Deepest nesting of arrays and objects; at most 512, which needs about 512 KiB of stack (measured, release).
        public var depthMaximum: Int

        /// Makes limits.
        ///
        /// - Parameters:
        ///   - bytesMaximum: Longest text in bytes. The default, 256 MiB, is far above the largest list the Kubernetes
        ///     API answers; whoever reads from strangers sets a lower one.
        ///   - depthMaximum: Deepest nesting, from 1 to 512. The default is 128.
        public init(bytesMaximum: Int = 256 << 20, depthMaximum: Int = 128) {
            precondition((1...512).contains(depthMaximum), "depthMaximum is from 1 to 512")
            self.bytesMaximum = bytesMaximum
            self.depthMaximum = depthMaximum
        }
    }

    /// The limits in force.
    public let limits: Limits

    /// Makes a reader.
    ///
    /// - Parameter limits: How much it takes.
    public init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// Reads one JSON text.
    ///
    /// - Parameter bytes: The whole text in UTF-8.
    /// - Returns: Its value.
    /// - Throws: `.malformed` or `.limitExceeded`.
    public func parse(_ bytes: Span<UInt8>) throws(JSONError) -> JSONValue {
        var parser = JSONParser(limits: limits)
        return try parser.document(bytes)
    }

    /// Reads one JSON text.
    ///
    /// - Parameter bytes: The whole text in UTF-8.
    /// - Returns: Its value.
    /// - Throws: `.malformed` or `.limitExceeded`.
    public func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
        try parse(bytes.span)
    }

    /// Reads one JSON text.
    ///
    /// - Parameter text: The whole text.
    /// - Returns: Its value.
    /// - Throws: `.malformed` or `.limitExceeded`.
    public func parse(_ text: String) throws(JSONError) -> JSONValue {
        try parse(Array(text.utf8))
    }

    /// An object with a long array in it, whose elements are read one by one, in any order, by whoever wants to.
    public struct List: Sendable {
        /// The object, with an empty array in the place of the long one.
        public let rest: JSONValue
        /// How many elements the array has.
        public var count: Int { ranges.count }

        private let bytes: [UInt8]
        private let ranges: [Range<Int>]
        private let limits: Limits

        fileprivate init(_ bytes: [UInt8], key: String, limits: Limits) throws(JSONError) {
            var parser = JSONParser(limits: limits, listing: key)
            rest = try parser.document(bytes.span)
            ranges = parser.elementRanges
            self.bytes = bytes
            self.limits = limits
        }

        /// Reads some of the elements.
        ///
        /// - Parameters:
        ///   - positions: Which ones, from 0 to ``count``.
        ///   - leftOut: Members that nobody needs, each as the keys from an element down to it, through arrays on the way:
        ///     of them only the form is checked.
        ///   - take: Is given them in their order.
        /// - Throws: `.malformed` or `.limitExceeded`, or what `take` throws.
        public func read(
            _ positions: Range<Int>, leavingOut leftOut: [[String]] = [], _ take: (JSONValue) throws -> Void
        ) throws {
            var parser = JSONParser(
                limits: limits, leavingOut: leftOut.isEmpty ? nil : LeftOutMembers(leftOut))
            for range in ranges[positions] {
                try take(parser.element(bytes.span, at: range))
            }
        }
    }

    /// Looks through a JSON text that is an object with a long array in it, of which nothing is read yet.
    ///
    /// - Parameters:
    ///   - bytes: The whole text in UTF-8.
    ///   - key: The outermost object's member that is the array; one that is no array stays in the value.
    /// - Returns: The object, and where the elements are. Of them only the form was checked, and not yet what keys they have
    ///   and whether their texts are UTF-8.
    /// - Throws: `.malformed` or `.limitExceeded`.
    public func list(_ bytes: [UInt8], elementsOf key: String) throws(JSONError) -> List {
        try List(bytes, key: key, limits: limits)
    }

    /// Reads one JSON text as a type.
    ///
    /// A member the type does not know is ignored; an optional property may be absent or null.
    ///
    /// - Parameters:
    ///   - type: What to make.
    ///   - bytes: The whole text in UTF-8.
    /// - Returns: The value.
    /// - Throws: ``JSONError``, or what an `init(from:)` of the type throws by itself.
    public func decode<T: Decodable>(_ type: T.Type, from bytes: [UInt8]) throws -> T {
        try decode(type, from: parse(bytes))
    }

    /// Turns a tree into a type, by the same rules as from bytes.
    ///
    /// - Parameters:
    ///   - type: What to make.
    ///   - value: The tree.
    /// - Returns: The value.
    /// - Throws: `.mismatch`, or what an `init(from:)` of the type throws by itself.
    public func decode<T: Decodable>(_ type: T.Type, from value: JSONValue) throws -> T {
        do {
            return try TreeDecoder(value: value, path: nil).decode(type)
        } catch let error as DecodingError {
            throw JSONError(error)
        }
    }
}
