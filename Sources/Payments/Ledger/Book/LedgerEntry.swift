import Cryptography
public import Timing

/// One movement of money: an amount from one account to another, never changed afterwards.
public struct LedgerEntry: Hashable, Sendable {
    /// What happened.
    public enum Kind: String, Sendable, CaseIterable {
        /// A proof brought money: from the rail's clearing account to the function.
        case payment
        /// Calls of a lease were used: from the function to its revenue. The amount is 0 when they were bonus calls, or
        /// within a unit that was charged before.
        case sale
        /// A payment paid for calls that were used before: from the function to its revenue.
        case collection
        /// A lease was never settled and counts as used: from the function to its revenue.
        case expiry
    }

    /// The entry's number, from 1, without gaps.
    public let sequence: UInt64
    /// When; to the microsecond.
    public let time: Timestamp
    /// What happened.
    public let kind: Kind
    /// The account the amount leaves, such as `clearing:stream` or `function:<namespace>/<name>`.
    public let debit: String
    /// The account the amount reaches, such as `function:<namespace>/<name>` or `revenue:<namespace>/<name>`.
    public let credit: String
    /// What the amount is counted in.
    public let asset: Asset
    /// Units of the asset.
    public let amount: UInt64
    /// Calls that were sold.
    public let calls: UInt64
    /// The rail of a payment, else empty.
    public let rail: String
    /// The proof's key on its rail, else empty.
    public let key: [UInt8]
    /// The total that the proof showed, else 0.
    public let total: UInt64
    /// The lease of a sale, else empty.
    public let lease: String
    /// SHA-256 of the hash before and of this entry's canonical bytes.
    public let hash: [UInt8]

    /// What comes before the first entry: 32 zero bytes.
    public static let hashBeforeFirst = [UInt8](repeating: 0, count: SHA256Digest.byteCount)

    /// The hash this entry must have after another.
    ///
    /// - Parameter previous: The hash of the entry before.
    public func expectedHash(after previous: [UInt8]) -> [UInt8] {
        SHA256.hash(of: previous + canonicalBytes).bytes
    }

    /// All fields but the hash: a version, then numbers in big-endian order, texts after their length in 32 bits.
    var canonicalBytes: [UInt8] {
        var bytes: [UInt8] = [1]
        bytes.reserveCapacity(256)
        Self.append(sequence, to: &bytes)
        Self.append(UInt64(bitPattern: time.microsecondsSinceEpoch), to: &bytes)
        for text in [kind.rawValue, debit, credit, asset.code] { Self.append(text.utf8, to: &bytes) }
        for number in [UInt64(asset.scale), amount, calls] { Self.append(number, to: &bytes) }
        Self.append(rail.utf8, to: &bytes)
        Self.append(key, to: &bytes)
        Self.append(total, to: &bytes)
        Self.append(lease.utf8, to: &bytes)
        return bytes
    }

    /// An entry as a store holds it.
    init(
        sequence: UInt64, time: Timestamp, kind: Kind, debit: String, credit: String, asset: Asset, amount: UInt64,
        calls: UInt64, rail: String, key: [UInt8], total: UInt64, lease: String, hash: [UInt8]
    ) {
        self.sequence = sequence
        self.time = time
        self.kind = kind
        self.debit = debit
        self.credit = credit
        self.asset = asset
        self.amount = amount
        self.calls = calls
        self.rail = rail
        self.key = key
        self.total = total
        self.lease = lease
        self.hash = hash
    }

    /// The same entry with its hash.
    init(_ draft: LedgerEntry, after previous: [UInt8]) {
        self.init(
            sequence: draft.sequence, time: draft.time, kind: draft.kind, debit: draft.debit, credit: draft.credit,
            asset: draft.asset, amount: draft.amount, calls: draft.calls, rail: draft.rail, key: draft.key,
            total: draft.total, lease: draft.lease, hash: draft.expectedHash(after: previous))
    }

    private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }

    private static func append(_ content: some Collection<UInt8>, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: UInt32(clamping: content.count).bigEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: content)
    }
}

extension Timestamp {
    /// Whole microseconds since 1970; every year that a timestamp can have fits.
    var microsecondsSinceEpoch: Int64 { secondsSinceEpoch * 1_000_000 + Int64(nanoseconds / 1000) }

    /// A time from whole microseconds since 1970.
    init(microsecondsSinceEpoch microseconds: Int64) {
        let (quotient, remainder) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        let seconds = remainder < 0 ? quotient - 1 : quotient
        let rest = remainder < 0 ? remainder + 1_000_000 : remainder
        self.init(secondsSinceEpoch: seconds, nanoseconds: Int32(rest * 1000))
    }
}
