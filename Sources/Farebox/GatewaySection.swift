import CRDs
import Gateway
import Timing

/// How the gateway listens.
struct GatewaySection: Decodable {
    var configuration = GatewayConfiguration()

    enum CodingKeys: String, CodingKey {
        case port, internalPort, loops, timeout, connectionsMaximum, drainDelay, tls, acceptsPlainHTTP2, wakeTimeout
        case waitingMaximum, accessLog
    }

    init() {}

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func take<Value: Decodable>(_ key: CodingKeys, into path: WritableKeyPath<GatewayConfiguration, Value>) throws {
            if let value = try container.decodeIfPresent(Value.self, forKey: key) {
                configuration[keyPath: path] = value
            }
        }
        try take(.port, into: \.port)
        try take(.internalPort, into: \.internalPort)
        try take(.connectionsMaximum, into: \.connectionsMaximum)
        try take(.acceptsPlainHTTP2, into: \.acceptsPlainHTTP2)
        configuration.tls = try container.decodeIfPresent(TLSSection.self, forKey: .tls)?.configuration
        try take(.waitingMaximum, into: \.waitingMaximum)
        let accessLog = try container.decodeIfPresent(AccessLogSection.self, forKey: .accessLog)
        configuration.accessLogShare = accessLog?.share ?? 0
        configuration.wakeTimeout = try container.duration(.wakeTimeout) ?? configuration.wakeTimeout
        configuration.loops = try container.decodeIfPresent(Int.self, forKey: .loops)
        configuration.timeout = try container.duration(.timeout) ?? configuration.timeout
        configuration.drainDelay = try container.duration(.drainDelay) ?? configuration.drainDelay
    }
}

/// Of which calls a line is written.
struct AccessLogSection: Decodable {
    var share = 1.0

    enum CodingKeys: String, CodingKey { case share }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        share = try container.decodeIfPresent(Double.self, forKey: .share) ?? share
        guard (0...1).contains(share) else {
            throw DecodingError.dataCorruptedError(
                forKey: .share, in: container, debugDescription: "\(share) is not a part of all calls; write 0 to 1")
        }
    }
}

/// Where callers connect by TLS.
struct TLSSection: Decodable {
    var configuration = GatewayTLS()

    enum CodingKeys: String, CodingKey { case folder, secretsNamespace, port, redirects, publicPort, offersHTTP2 }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func take<Value: Decodable>(_ key: CodingKeys, into path: WritableKeyPath<GatewayTLS, Value>) throws {
            if let value = try container.decodeIfPresent(Value.self, forKey: key) {
                configuration[keyPath: path] = value
            }
        }
        try take(.folder, into: \.folder)
        try take(.port, into: \.port)
        try take(.redirects, into: \.redirects)
        try take(.publicPort, into: \.publicPort)
        try take(.offersHTTP2, into: \.offersHTTP2)
        if let namespace = try container.decodeIfPresent(String.self, forKey: .secretsNamespace) {
            guard namespace.isEmpty || DNSName.isLabel(namespace) else {
                throw DecodingError.dataCorruptedError(
                    forKey: .secretsNamespace, in: container,
                    debugDescription: "\"\(namespace)\" is no name of a namespace")
            }
            configuration.secretsNamespace = namespace.isEmpty ? nil : namespace
        }
    }
}

extension KeyedDecodingContainer {
    /// Reads a span of time, written as `90s` or `15m`.
    fileprivate func duration(_ key: Key) throws -> Duration? {
        guard let text = try decodeIfPresent(String.self, forKey: key) else { return nil }
        guard let duration = Duration(goStyle: text), duration > .zero else {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: self, debugDescription: "\"\(text)\" is not a span of time; write it like 90s or 15m")
        }
        return duration
    }
}
