import Cryptography

/// Receipts as bytes, to spoil them.
enum Base64Text {
    static func bytes(_ text: String) -> [UInt8]? { Base64.decode(text) }
    static func text(_ bytes: [UInt8]) -> String { Base64.encode(bytes) }
}
