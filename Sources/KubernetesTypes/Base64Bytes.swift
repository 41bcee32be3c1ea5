import Cryptography

/// Bytes that stand as base64 text in JSON.
///
/// Source: RFC 4648 §4, with padding.
public struct Base64Bytes: Hashable, Sendable {
    /// The bytes themselves.
    public var bytes: [UInt8]

    /// Wraps bytes.
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Wraps the UTF-8 bytes of a text.
    public init(utf8 text: String) { bytes = Array(text.utf8) }
}

extension Base64Bytes: Codable {
    /// Decodes base64 text.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let decoded = Base64.decode(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not base64")
        }
        bytes = decoded
    }

    /// Encodes base64 text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(Base64.encode(bytes))
    }
}

extension Base64Bytes: CustomStringConvertible, CustomReflectable {
    /// Only the length: the bytes may be a secret.
    public var description: String { "<\(bytes.count) bytes>" }
    /// Shows only the length.
    public var customMirror: Mirror { Mirror(self, children: ["count": bytes.count]) }
}
