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

    /// Reads one JSON text that is an object with a long array in it, and holds one element of that at a time.
    ///
    /// - Parameters:
    ///   - bytes: The whole text in UTF-8.
    ///   - key: The outermost object's member that is the array; one that is no array stays in the value.
    ///   - leftOut: The keys from an element down to a member that nobody needs: of it only the form is checked.
    ///   - take: Is given the elements in their order; when the text turns out to be malformed further on, those before
    ///     were given already.
    /// - Returns: The value, with an empty array in the place of the long one.
    /// - Throws: `.malformed` or `.limitExceeded`.
    public func parse(
        _ bytes: [UInt8], elementsOf key: String, leavingOut leftOut: [String] = [], _ take: (JSONValue) -> Void
    ) throws(JSONError) -> JSONValue {
        let result: Result<JSONValue, JSONError> = withoutActuallyEscaping(take) { take in
            let handedOn = JSONParser.HandedOn(key: key, leftOut: leftOut, take: take)
            var parser = JSONParser(limits: limits, handingOn: handedOn)
            do throws(JSONError) {
                return .success(try parser.document(bytes.span))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
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
