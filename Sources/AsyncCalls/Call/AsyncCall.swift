import Cryptography
public import Timing

/// A call that somebody was promised to be made, or an answer that is to be posted: everything that it takes.
public struct AsyncCall: Hashable, Sendable {
    /// A header field.
    public struct Field: Hashable, Sendable {
        /// Its name.
        public let name: String
        /// Its value.
        public let value: String

        /// Makes a field.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Ours alone, and never used twice: 32 hexadecimal digits.
    public let id: String
    /// What the caller knows the call by, `X-Call-Id`: the caller's own, or ``id``.
    public let callID: String
    /// The queue it waits in.
    public let lane: CallLane
    /// The method.
    public let method: String
    /// Path and query as the function sees them; of a callback, the whole URL.
    public let target: String
    /// What the caller gave as `Host`; empty for a callback.
    public let host: String
    /// The fields that go with it.
    public let headers: [Field]
    /// The content.
    public let body: [UInt8]
    /// Where the answer is posted to.
    public let callbackURL: String?
    /// When the caller was promised that it will be made, to the microsecond.
    public let acceptedAt: Timestamp
    /// Whether it was paid for.
    public let isPaid: Bool

    /// Makes a call.
    ///
    /// - Parameters:
    ///   - id: Ours; a new one by default.
    ///   - callID: The caller's; ours where the caller gave none.
    ///   - lane: The queue.
    ///   - method: The method.
    ///   - target: Path and query, or the URL of a callback.
    ///   - host: The caller's `Host`.
    ///   - headers: The fields.
    ///   - body: The content.
    ///   - callbackURL: Where the answer goes.
    ///   - acceptedAt: When it was accepted.
    ///   - isPaid: Whether it was paid for.
    public init(
        id: String = Self.newID(), callID: String? = nil, lane: CallLane, method: String, target: String,
        host: String = "", headers: [Field] = [], body: [UInt8] = [], callbackURL: String? = nil,
        acceptedAt: Timestamp, isPaid: Bool = false
    ) {
        self.id = id
        self.callID = callID ?? id
        self.lane = lane
        self.method = method
        self.target = target
        self.host = host
        self.headers = headers
        self.body = body
        self.callbackURL = callbackURL
        self.acceptedAt = acceptedAt
        self.isPaid = isPaid
    }

    /// When it was accepted in nanoseconds since 1970, as OpenFaaS' `X-Start-Time` has it.
    public var startTime: String { "\(acceptedAt.microseconds)000" }

    /// Draws an id that nobody can guess and that never comes twice.
    public static func newID() -> String {
        Hex.encode(randomBytes(16))
    }

    /// What it takes of a store, about.
    var storedBytes: Int {
        let fields = headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 8 }
        return body.count + target.utf8.count + (callbackURL?.utf8.count ?? 0) + fields + Self.overheadBytes
    }

    /// Ids, times and what a database adds to a row.
    private static let overheadBytes = 256
}
