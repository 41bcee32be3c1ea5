import Cryptography

/// A STREAM receipt: a wallet's proof that so much money came in on one stream of one connection.
///
/// 58 bytes of fixed length (Interledger RFC 39): version 1, nonce (16), stream (1), total received (8, big-endian),
/// HMAC-SHA256 of all before it under the secret of the connection (32). The total is cumulative, in the units of the
/// wallet that received it, and unsigned: values above `Int64.max` are legal.
///
/// A value of this type has the right form; only ``isAuthentic(secret:)`` says whether it is genuine.
public struct StreamReceipt: Hashable, Sendable {
    /// The connection's nonce, 16 bytes.
    public let nonce: [UInt8]
    /// The number of the stream.
    public let stream: UInt8
    /// All that came in on the stream so far.
    public let total: UInt64
    /// The HMAC as it was sent, 32 bytes.
    private let code: [UInt8]

    /// The length of a receipt.
    public static let bytesCount = 58
    /// The length of a nonce.
    public static let nonceBytesCount = 16
    /// The length of a connection's secret.
    public static let secretBytesCount = 32

    private static let version: UInt8 = 1
    private static let streamOffset = 1 + nonceBytesCount
    private static let totalOffset = streamOffset + 1
    private static let codeOffset = totalOffset + 8

    /// Reads a receipt.
    ///
    /// - Parameter bytes: The receipt, from wherever.
    /// - Throws: `.malformed` for another length, then `.unknownVersion`; no other.
    public init(_ bytes: [UInt8]) throws(ReceiptError) {
        guard bytes.count == Self.bytesCount else { throw .malformed }
        guard bytes[0] == Self.version else { throw .unknownVersion }
        nonce = Array(bytes[1..<Self.streamOffset])
        stream = bytes[Self.streamOffset]
        total = bytes[Self.totalOffset..<Self.codeOffset].reduce(0) { $0 << 8 | UInt64($1) }
        code = Array(bytes[Self.codeOffset...])
    }

    /// Issues a receipt, as the wallet does.
    ///
    /// - Parameters:
    ///   - nonce: 16 bytes.
    ///   - stream: The number of the stream.
    ///   - total: All that came in on it.
    ///   - secret: The secret of the connection.
    public init(nonce: [UInt8], stream: UInt8, total: UInt64, secret: [UInt8]) {
        precondition(nonce.count == Self.nonceBytesCount, "a nonce has 16 bytes")
        self.nonce = nonce
        self.stream = stream
        self.total = total
        code = HMAC.sha256(key: secret, message: Self.signed(nonce, stream, total))
    }

    /// The receipt as it is sent.
    public var bytes: [UInt8] { signedBytes + code }

    /// Whether the receipt was issued by somebody who knows the secret; takes the same time either way.
    public func isAuthentic(secret: [UInt8]) -> Bool {
        constantTimeEquals(HMAC.sha256(key: secret, message: signedBytes), code)
    }

    /// What the HMAC covers.
    private var signedBytes: [UInt8] { Self.signed(nonce, stream, total) }

    private static func signed(_ nonce: [UInt8], _ stream: UInt8, _ total: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(bytesCount)
        bytes.append(version)
        bytes += nonce
        bytes.append(stream)
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: total >> UInt64(shift)))
        }
        return bytes
    }
}
