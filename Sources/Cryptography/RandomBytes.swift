/// Bytes that nobody can predict, fit for keys, tokens and nonces.
///
/// They come from the kernel (`getrandom(2)`) by way of the standard library's system generator, which cannot fail.
///
/// - Parameter count: How many; not negative.
/// - Returns: The bytes.
public func randomBytes(_ count: Int) -> [UInt8] {
    precondition(count >= 0, "a count is not negative")
    var generator = SystemRandomNumberGenerator()
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    while bytes.count < count {
        withUnsafeBytes(of: generator.next()) { bytes.append(contentsOf: $0.prefix(count - bytes.count)) }
    }
    return bytes
}
