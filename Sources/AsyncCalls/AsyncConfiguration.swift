public import HTTP
import Timing

/// How calls that do not wait are kept and made: the section `async` of the configuration.
public struct AsyncConfiguration: Decodable, Hashable, Sendable {
    /// Where calls are kept in NATS JetStream.
    public struct NATS: Decodable, Hashable, Sendable {
        /// Servers of one cluster, as `nats://nats.messaging:4222` or `tls://…`.
        public var servers: [String]
        /// A file with the credentials of a user (JWT and NKey), as `nsc` makes it.
        public var credentialsPath: String?
        /// A file with the authorities to trust for `tls://`, instead of the system's.
        public var certificatesPath: String?
        /// What the names of streams begin with: letters, digits, `-` and `_`.
        public var prefix = "FAREBOX"
        /// Copies of each stream, 1 to 5.
        public var replicas = 1

        /// Describes a place.
        public init(servers: [String]) {
            self.servers = servers
        }

        private enum CodingKeys: String, CodingKey { case servers, credentialsPath, certificatesPath, prefix, replicas }

        /// Decodes it; all but the servers may be absent.
        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            servers = try container.decode([String].self, forKey: .servers)
            credentialsPath = try container.decodeIfPresent(String.self, forKey: .credentialsPath)
            certificatesPath = try container.decodeIfPresent(String.self, forKey: .certificatesPath)
            prefix = try container.decodeIfPresent(String.self, forKey: .prefix) ?? prefix
            replicas = try container.decodeIfPresent(Int.self, forKey: .replicas) ?? replicas
        }
    }

    /// Where the SQLite file is when nothing else is said.
    public static let sqliteDefault = "/var/lib/farebox/async/calls.db"

    /// Whether calls are taken on at all.
    public var enabled = true
    /// The SQLite file, in a folder that exists; absent, with no ``nats`` either, it is ``sqliteDefault``.
    public var sqlite: String?
    /// NATS JetStream, for many gateways; not together with ``sqlite``.
    public var nats: NATS?
    /// The largest body, in bytes.
    public var bodyBytesMaximum = 1 << 20
    /// Calls that wait, in all.
    public var callsMaximum = CallLimits().callsMaximum
    /// Calls of one function that wait.
    public var callsPerFunctionMaximum = CallLimits().callsPerFunctionMaximum
    /// Bytes of all calls that wait.
    public var bytesMaximum = CallLimits().bytesMaximum
    /// Calls that were put away and are remembered.
    public var deadMaximum = CallLimits().deadMaximum
    /// Calls of one function under way at once, in one gateway.
    public var concurrency = 2
    /// Calls under way at once in one gateway.
    public var underWayMaximum = 64
    /// How often a call is tried.
    public var attemptsMaximum = 10
    /// The wait after the first attempt, as `10s`.
    public var retryMinimum = "10s"
    /// The longest wait between attempts.
    public var retryMaximum = "2m"
    /// How long one attempt may take.
    public var timeout = "15m"
    /// How long the posting of an answer may take.
    public var callbackTimeout = "10s"
    /// Ranges outside the public Internet that answers may be posted to, as `10.1.2.0/24`.
    public var callbackAllowedCIDRs: [String] = []
    /// Ranges of the public Internet that they may not be posted to: a cluster's own.
    public var callbackRefusedCIDRs: [String] = []
    /// The largest answer that is posted; of a larger one only the status is.
    public var answerBytesMaximum = 1 << 20
    /// A file with the token that opens the list of dead calls on the internal port.
    public var tokenPath = "/etc/farebox/async/token"

    /// Makes the default configuration.
    public init() {}

    private enum CodingKeys: String, CodingKey {
        case enabled, sqlite, nats, bodyBytesMaximum, callsMaximum, callsPerFunctionMaximum, bytesMaximum, deadMaximum
        case concurrency, underWayMaximum, attemptsMaximum, retryMinimum, retryMaximum, timeout
        case callbackTimeout, callbackAllowedCIDRs, callbackRefusedCIDRs, answerBytesMaximum, tokenPath
    }

    /// Decodes the section; absent fields get their defaults.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func value<Value: Decodable>(_ key: CodingKeys, _ absent: Value) throws -> Value {
            try container.decodeIfPresent(Value.self, forKey: key) ?? absent
        }
        enabled = try value(.enabled, enabled)
        sqlite = try container.decodeIfPresent(String.self, forKey: .sqlite)
        nats = try container.decodeIfPresent(NATS.self, forKey: .nats)
        bodyBytesMaximum = try value(.bodyBytesMaximum, bodyBytesMaximum)
        callsMaximum = try value(.callsMaximum, callsMaximum)
        callsPerFunctionMaximum = try value(.callsPerFunctionMaximum, callsPerFunctionMaximum)
        bytesMaximum = try value(.bytesMaximum, bytesMaximum)
        deadMaximum = try value(.deadMaximum, deadMaximum)
        concurrency = try value(.concurrency, concurrency)
        underWayMaximum = try value(.underWayMaximum, underWayMaximum)
        attemptsMaximum = try value(.attemptsMaximum, attemptsMaximum)
        retryMinimum = try value(.retryMinimum, retryMinimum)
        retryMaximum = try value(.retryMaximum, retryMaximum)
        timeout = try value(.timeout, timeout)
        callbackTimeout = try value(.callbackTimeout, callbackTimeout)
        callbackAllowedCIDRs = try value(.callbackAllowedCIDRs, callbackAllowedCIDRs)
        callbackRefusedCIDRs = try value(.callbackRefusedCIDRs, callbackRefusedCIDRs)
        answerBytesMaximum = try value(.answerBytesMaximum, answerBytesMaximum)
        tokenPath = try value(.tokenPath, tokenPath)
    }

    // MARK: What the parts take

    /// How much a store takes on.
    public var limits: CallLimits {
        var limits = CallLimits()
        limits.callsMaximum = callsMaximum
        limits.callsPerFunctionMaximum = callsPerFunctionMaximum
        limits.bytesMaximum = bytesMaximum
        limits.deadMaximum = deadMaximum
        return limits
    }

    /// How calls are made.
    public var settings: CallDispatcher.Settings {
        var settings = CallDispatcher.Settings()
        settings.concurrency = concurrency
        settings.underWayMaximum = underWayMaximum
        let (minimum, maximum) = (Self.span(retryMinimum) ?? .seconds(10), Self.span(retryMaximum) ?? .seconds(120))
        settings.retry = RetryPolicy(attemptsMaximum: attemptsMaximum, minimum: minimum, maximum: maximum)
        settings.callbackRetry = RetryPolicy(
            attemptsMaximum: attemptsMaximum, minimum: min(minimum, .seconds(2)), maximum: maximum)
        return settings
    }

    /// Which addresses answers may be posted to.
    public var callbackAddresses: AddressPolicy {
        AddressPolicy(
            isPublicOnly: true, refusedRanges: callbackRefusedCIDRs.compactMap { AddressRange($0) },
            allowedRanges: callbackAllowedCIDRs.compactMap { AddressRange($0) })
    }

    /// How long one attempt may take.
    public var timeoutSpan: Duration { Self.span(timeout) ?? .seconds(900) }

    /// How long a posting may take.
    public var callbackTimeoutSpan: Duration { Self.span(callbackTimeout) ?? .seconds(10) }

    private static func span(_ text: String) -> Duration? {
        Duration(goStyle: text).flatMap { $0 > .zero && $0 <= .seconds(86_400) ? $0 : nil }
    }
}

extension AsyncConfiguration {
    /// The largest body that a configuration may allow: a body is held in memory while it is stored and sent.
    private static let bodyBytesCeiling = 32 << 20

    /// Returns what is wrong with the configuration, one sentence each; empty when nothing is.
    public func validate() -> [String] {
        var problems: [String] = []
        if sqlite != nil, nats != nil { problems.append("sqlite and nats exclude each other") }
        if let sqlite, !sqlite.hasPrefix("/") || sqlite.utf8.contains(0) {
            problems.append("sqlite is the path of a file and begins with a slash")
        }
        if let nats { problems += nats.validate().map { "nats.\($0)" } }
        let spans = [
            ("retryMinimum", retryMinimum), ("retryMaximum", retryMaximum), ("timeout", timeout),
            ("callbackTimeout", callbackTimeout),
        ]
        for (name, text) in spans where Self.span(text) == nil {
            problems.append("\(name): \"\(text)\" is not a span of time up to 24h; write it like 10s")
        }
        let counts = [
            ("callsMaximum", callsMaximum), ("callsPerFunctionMaximum", callsPerFunctionMaximum),
            ("bytesMaximum", bytesMaximum), ("deadMaximum", deadMaximum), ("concurrency", concurrency),
            ("underWayMaximum", underWayMaximum), ("attemptsMaximum", attemptsMaximum),
        ]
        for (name, count) in counts where !(1...(1 << 40)).contains(count) {
            problems.append("\(name) is at least 1")
        }
        for (name, bytes) in [("bodyBytesMaximum", bodyBytesMaximum), ("answerBytesMaximum", answerBytesMaximum)]
        where !(0...Self.bodyBytesCeiling).contains(bytes) {
            problems.append("\(name) is at most \(Self.bodyBytesCeiling)")
        }
        let ranges = [
            ("callbackAllowedCIDRs", callbackAllowedCIDRs), ("callbackRefusedCIDRs", callbackRefusedCIDRs),
        ]
        for (name, list) in ranges {
            for range in list where AddressRange(range) == nil {
                problems.append("\(name): \"\(range)\" is not a range of addresses; write it like 10.1.2.0/24")
            }
        }
        return problems
    }
}

extension AsyncConfiguration.NATS {
    fileprivate func validate() -> [String] {
        var problems: [String] = []
        if servers.isEmpty || !servers.allSatisfy({ $0.hasPrefix("nats://") || $0.hasPrefix("tls://") }) {
            problems.append("servers are URLs that begin with nats:// or tls://")
        }
        let isName = prefix.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || byte == 0x2D || byte == 0x5F
        }
        if !isName || !(1...32).contains(prefix.utf8.count) {
            problems.append("prefix has 1 to 32 letters, digits, - and _")
        }
        if !(1...5).contains(replicas) { problems.append("replicas are 1 to 5") }
        return problems
    }
}
