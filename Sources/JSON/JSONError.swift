/// Why bytes could not become a value, or a value bytes.
///
/// Messages name keys and places, never values: a value may be a secret.
public enum JSONError: Error, Hashable, Sendable {
    /// The bytes are not JSON (RFC 8259); who sent them has to send something else.
    case malformed(reason: String, location: JSONLocation)
    /// The bytes may be JSON, but pass a limit of the reader.
    case limitExceeded(reason: String, location: JSONLocation)
    /// The JSON does not have the shape that the type asked for; `path` names the field, as in `spec.ports[0].port`.
    case mismatch(path: String, reason: String)
    /// The Swift value has no JSON form, as `Double.nan` has none.
    case unencodable(path: String, reason: String)
}

extension JSONError: CustomStringConvertible {
    /// One line for a person: where, then what.
    public var description: String {
        switch self {
        case .malformed(let reason, let location), .limitExceeded(let reason, let location):
            "\(location): \(reason)"
        case .mismatch(let path, let reason), .unencodable(let path, let reason):
            path.isEmpty ? reason : "\(path): \(reason)"
        }
    }
}

/// A place in a JSON text.
public struct JSONLocation: Hashable, Sendable, CustomStringConvertible {
    /// Bytes before the place.
    public let offset: Int
    /// The line, counting from 1; a line ends with a line feed.
    public let line: Int
    /// The character in that line, counting from 1, where a character is one Unicode scalar.
    public let column: Int

    /// As people say it.
    public var description: String { "line \(line), column \(column) (byte \(offset))" }

    init(offset: Int, in bytes: Span<UInt8>) {
        var line = 1
        var column = 1
        for index in 0..<Swift.min(offset, bytes.count) {
            if bytes[index] == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if bytes[index] & 0xC0 != 0x80 {  // Not a continuation byte of UTF-8.
                column += 1
            }
        }
        self.offset = offset
        self.line = line
        self.column = column
    }
}
