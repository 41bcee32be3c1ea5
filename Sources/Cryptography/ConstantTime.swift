import COpenSSL

/// Whether two byte strings are equal, in a time that depends on their lengths only.
///
/// For signatures, tokens and whatever else an attacker could guess byte by byte from the time an answer takes.
///
/// - Parameters:
///   - left: One side.
///   - right: The other side.
/// - Returns: Whether lengths and bytes are equal.
public func constantTimeEquals(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    return CRYPTO_memcmp(left, right, left.count) == 0
}
