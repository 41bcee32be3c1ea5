import CSodium

/// NaCl's `crypto_box`: what somebody encrypts for the holder of a key, and nobody can change on its way.
///
/// X25519, XSalsa20 and Poly1305 (nacl.cr.yp.to/box.html), by libsodium: what `faas-cli secret seal` makes.
public enum NaClBox {
    /// Of private and public keys.
    public static let keyBytes = 32
    /// Of the number that is used once.
    public static let nonceBytes = 24
    /// What a box has more than its content.
    public static let overheadBytes = 16

    /// libsodium chooses its fastest code for this processor once, before anything else; 0 and 1 are good.
    private static let isReady = sodium_init() >= 0

    /// The public key of a private one.
    ///
    /// - Parameter privateKey: 32 bytes, any.
    /// - Returns: 32 bytes; nil for a key of another length.
    public static func publicKey(of privateKey: [UInt8]) -> [UInt8]? {
        guard isReady, privateKey.count == keyBytes else { return nil }
        var output = [UInt8](repeating: 0, count: keyBytes)
        return crypto_scalarmult_base(&output, privateKey) == 0 ? output : nil
    }

    /// Opens a box.
    ///
    /// - Parameters:
    ///   - box: The tag of 16 bytes, then the encrypted content.
    ///   - nonce: 24 bytes.
    ///   - sender: The sender's public key.
    ///   - privateKey: The receiver's.
    /// - Returns: The content; nil when it is no box of these keys, or was changed.
    public static func open(
        _ box: [UInt8], nonce: [UInt8], from sender: [UInt8], privateKey: [UInt8]
    ) -> [UInt8]? {
        guard isReady, box.count >= overheadBytes, nonce.count == nonceBytes, sender.count == keyBytes,
            privateKey.count == keyBytes
        else { return nil }
        var content = [UInt8](repeating: 0, count: box.count - overheadBytes)
        return crypto_box_open_easy(&content, box, UInt64(box.count), nonce, sender, privateKey) == 0 ? content : nil
    }

    /// Closes a box.
    ///
    /// - Parameters:
    ///   - content: What to encrypt.
    ///   - nonce: 24 bytes, never the same for two boxes of the same keys: random ones will do.
    ///   - receiver: The receiver's public key.
    ///   - privateKey: The sender's.
    /// - Returns: The box; nil when a key cannot be used.
    public static func seal(
        _ content: [UInt8], nonce: [UInt8], to receiver: [UInt8], privateKey: [UInt8]
    ) -> [UInt8]? {
        guard isReady, nonce.count == nonceBytes, receiver.count == keyBytes, privateKey.count == keyBytes else {
            return nil
        }
        var box = [UInt8](repeating: 0, count: overheadBytes + content.count)
        return crypto_box_easy(&box, content, UInt64(content.count), nonce, receiver, privateKey) == 0 ? box : nil
    }
}
