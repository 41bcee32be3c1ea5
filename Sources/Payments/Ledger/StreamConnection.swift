public import Timing

/// What one SPSP query fixed; kept from the wallet's good answer until it expires.
public struct StreamConnection: Hashable, Sendable {
    /// How many bytes a nonce has (RFC 0039).
    public static let nonceBytes = 16
    /// The longest ``identifier`` and ``endpoint`` that are kept.
    public static let textBytesMaximum = 2048

    /// The nonce that receipts of this connection carry: 16 bytes.
    public let nonce: [UInt8]
    /// The function that is paid for; nil when the pointer names none.
    public let account: PaymentAccount?
    /// The SPSP id as received.
    public let identifier: String?
    /// The pointer as looked up, unresolved.
    public let endpoint: String
    /// Whether the money goes to the host: only such money counts as credit.
    public let creditsHost: Bool
    /// What the receipts' totals are counted in.
    public let asset: Asset
    /// When its receipts stop being taken.
    public let expiresAt: Timestamp
    /// The seed that its secret was made from.
    public let seed: SeedID

    /// Makes a connection.
    public init(
        nonce: [UInt8], account: PaymentAccount?, identifier: String?, endpoint: String, creditsHost: Bool,
        asset: Asset,
        expiresAt: Timestamp, seed: SeedID
    ) {
        self.nonce = nonce
        self.account = account
        self.identifier = identifier
        self.endpoint = endpoint
        self.creditsHost = creditsHost
        self.asset = asset
        self.expiresAt = expiresAt
        self.seed = seed
    }
}

/// What a receipt with a good HMAC says: so much has come on this stream so far.
public struct StreamProof: Hashable, Sendable {
    /// The connection's nonce: 16 bytes.
    public let nonce: [UInt8]
    /// The stream within the connection.
    public let stream: UInt8
    /// Everything the stream has received, in units of the connection's asset.
    public let total: UInt64

    /// Makes a proof; whoever makes one has checked the HMAC.
    public init(nonce: [UInt8], stream: UInt8, total: UInt64) {
        self.nonce = nonce
        self.stream = stream
        self.total = total
    }
}

/// What a proof brought.
public struct StreamCredit: Hashable, Sendable {
    /// This total minus the highest total before; at least 1.
    public let amount: UInt64
    /// Where it came in.
    public let connection: StreamConnection
    /// Whether it was credited to the connection's account; money that does not go to the host is not.
    public let isCredited: Bool

    /// Makes a credit.
    public init(amount: UInt64, connection: StreamConnection, isCredited: Bool) {
        self.amount = amount
        self.connection = connection
        self.isCredited = isCredited
    }
}

/// What is known of one stream, for whoever shows it.
public struct StreamRecord: Hashable, Sendable {
    /// The connection's nonce.
    public let nonce: [UInt8]
    /// The stream within the connection.
    public let stream: UInt8
    /// The highest total that was proven.
    public let total: UInt64
    /// How much of it was credited to ``account``: all or nothing.
    public let credited: UInt64
    /// The function that is paid for, if any.
    public let account: PaymentAccount?
    /// What the totals are counted in.
    public let asset: Asset
    /// The pointer as looked up.
    public let endpoint: String
    /// When the total grew last.
    public let changedAt: Timestamp
    /// Larger than that of every earlier change; pass the last one to read on.
    public let cursor: UInt64

    /// Makes a record.
    public init(
        nonce: [UInt8], stream: UInt8, total: UInt64, credited: UInt64, account: PaymentAccount?, asset: Asset,
        endpoint: String, changedAt: Timestamp, cursor: UInt64
    ) {
        self.nonce = nonce
        self.stream = stream
        self.total = total
        self.credited = credited
        self.account = account
        self.asset = asset
        self.endpoint = endpoint
        self.changedAt = changedAt
        self.cursor = cursor
    }
}
