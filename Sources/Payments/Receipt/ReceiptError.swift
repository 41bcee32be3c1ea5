/// Why a receipt brought nothing.
public enum ReceiptError: Error, Hashable, Sendable {
    /// It has not 58 bytes.
    case malformed
    /// Its version is not 1.
    case unknownVersion
    /// Its HMAC is that of no secret of ours.
    case forged
    /// No connection has its nonce, or the connection was forgotten long ago.
    case unknownNonce
    /// Its connection has expired. The time counts from the SPSP query and is never extended.
    case expired
    /// Its total is not above the highest one that was seen on the stream.
    case nothingNew(highest: UInt64)

    /// The text by which the contract of the receipt verifier tells it; wallets and pages compare it.
    public var contractText: String {
        switch self {
        case .malformed: "receipt malformed"
        case .unknownVersion: "invalid version"
        case .forged: "invalid hmac"
        case .unknownNonce, .expired, .nothingNew: "expired receipt"
        }
    }
}

extension ReceiptError: CustomStringConvertible {
    /// One line for a person.
    public var description: String {
        switch self {
        case .malformed: "a receipt has 58 bytes, written in base64"
        case .unknownVersion: "the receipt's version is not 1"
        case .forged: "the receipt was not made with a secret of this verifier"
        case .unknownNonce: "no payment request has the receipt's nonce; it may have expired long ago"
        case .expired: "the payment request that the receipt belongs to has expired"
        case .nothingNew(let highest): "the receipt's total is not above \(highest), which was seen before"
        }
    }
}
