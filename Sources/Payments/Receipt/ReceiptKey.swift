import Cryptography
import Timing

/// What the secrets of connections are derived from: the seed, already keyed for receipts.
///
/// `secret = HMAC-SHA256(key: HMAC-SHA256(key: seed, "receipt_secret"), nonce)`, as the receipt verifier has it, so that
/// nothing must be stored for a secret and every replica with the seed can check every receipt.
struct ReceiptKey: Sendable {
    /// Names the seed.
    let seed: SeedID
    private let key: [UInt8]

    init(_ seed: ReceiptSeed) {
        self.init(seed: seed.bytes)
    }

    /// Derives the key of a seed of any length.
    init(seed bytes: [UInt8]) {
        seed = SeedID(of: bytes)
        key = HMAC.sha256(key: bytes, message: Array("receipt_secret".utf8))
    }

    /// The secret of the connection with a nonce: 32 bytes.
    func secret(nonce: [UInt8]) -> [UInt8] { HMAC.sha256(key: key, message: nonce) }
}

/// The keys that count: the newest makes new secrets, the others check receipts until their connections are over.
struct ReceiptKeys: Sendable {
    private struct Aged {
        let key: ReceiptKey
        let createdAt: Timestamp
        /// From then on its receipts are too late; nil for the newest.
        let endsAt: Timestamp?
    }

    /// Other replicas go on with a seed for some seconds after it was replaced, and no two clocks agree.
    private static let grace = Duration.seconds(60)

    private let newest: ReceiptKey
    private let keys: [Aged]

    /// Makes keys of seeds; nil of none.
    ///
    /// A seed that was replaced, perhaps since it leaked, ends with the last connection that can have been made with it.
    ///
    /// - Parameters:
    ///   - seeds: Newest first.
    ///   - lifetime: Of a connection.
    init?(_ seeds: [ReceiptSeed], lifetime: Duration) {
        guard let first = seeds.first else { return nil }
        newest = ReceiptKey(first)
        let replacedAt: [Timestamp?] = [nil] + seeds.map(\.createdAt)
        keys = zip(seeds, replacedAt).map { seed, time in
            Aged(
                key: ReceiptKey(seed), createdAt: seed.createdAt, endsAt: time.map { $0 + lifetime + Self.grace })
        }
    }

    /// For new connections.
    var current: ReceiptKey { newest }

    /// The key that made new connections at a time.
    func key(at time: Timestamp) -> ReceiptKey { keys.first { $0.createdAt <= time }?.key ?? newest }

    /// Whether a key of ours made a receipt, however long ago.
    func made(_ receipt: StreamReceipt) -> Bool {
        keys.contains { receipt.isAuthentic(secret: $0.key.secret(nonce: receipt.nonce)) }
    }

    /// Checks who made a receipt.
    ///
    /// - Throws: `.forged` when no key of ours did, `.expired` when one did that counts no more.
    func verify(_ receipt: StreamReceipt, now: Timestamp) throws(ReceiptError) -> StreamProof {
        let made = keys.first { receipt.isAuthentic(secret: $0.key.secret(nonce: receipt.nonce)) }
        guard let made else { throw .forged }
        if let endsAt = made.endsAt, now >= endsAt { throw .expired }
        return StreamProof(nonce: receipt.nonce, stream: receipt.stream, total: receipt.total)
    }
}
