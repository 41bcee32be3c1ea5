import Builds
import Gateway
import Operator
import Timing

/// The registry that images are pushed to and pulled from.
struct RegistrySection: Decodable {
    /// Host, port and perhaps a path below which all images lie: `registry.example.com/farebox`.
    var prefix = ""
    /// Whether the registry of `prefix` is spoken to in plain http.
    var insecure = false
    /// Other registries to speak plain http to, as `host:port`.
    var insecureRegistries: [String] = []
    /// Mirrors by registry, as `docker.io: mirror.example.com`.
    var mirrors: [String: String] = [:]
    /// The Secret in Farebox's namespace with the credentials, of type `kubernetes.io/dockerconfigjson`.
    var credentialsSecret = "farebox-registry"

    enum CodingKeys: String, CodingKey { case prefix, insecure, insecureRegistries, mirrors, credentialsSecret }

    init() {}

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        prefix = try container.decodeIfPresent(String.self, forKey: .prefix) ?? prefix
        insecure = try container.decodeIfPresent(Bool.self, forKey: .insecure) ?? insecure
        insecureRegistries = try container.decodeIfPresent([String].self, forKey: .insecureRegistries) ?? []
        mirrors = try container.decodeIfPresent([String: String].self, forKey: .mirrors) ?? [:]
        credentialsSecret =
            try container.decodeIfPresent(String.self, forKey: .credentialsSecret) ?? credentialsSecret
    }

    /// The host and port of `prefix`.
    var host: String { prefix.split(separator: "/").first.map(String.init) ?? "" }

    /// Every registry to speak plain http to.
    var allInsecure: [String] { (insecure ? [host] : []) + insecureRegistries }
}

/// How images are built.
struct BuildSection: Decodable {
    var configuration = BuildConfiguration()

    enum CodingKeys: String, CodingKey {
        case namespace, image, artifactsURL, timeout, memory, cpu, stateBytes, keepsStateInMemory, usesRegistryCache
    }

    init() {
        configuration.artifactsURL = "http://farebox-builder.\(FareboxConfiguration.systemNamespace)"
    }

    init(from decoder: any Decoder) throws {
        self.init()
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func take<Value: Decodable>(_ key: CodingKeys, into path: WritableKeyPath<BuildConfiguration, Value>) throws {
            if let value = try container.decodeIfPresent(Value.self, forKey: key) {
                configuration[keyPath: path] = value
            }
        }
        try take(.namespace, into: \.namespace)
        try take(.image, into: \.builderImage)
        try take(.artifactsURL, into: \.artifactsURL)
        try take(.memory, into: \.memory)
        try take(.cpu, into: \.cpu)
        try take(.stateBytes, into: \.stateBytes)
        try take(.keepsStateInMemory, into: \.keepsStateInMemory)
        try take(.usesRegistryCache, into: \.usesRegistryCache)
        configuration.timeout = try container.duration(.timeout) ?? configuration.timeout
    }
}

/// What a checkout may do and use.
struct GitSection: Decodable {
    var configuration = GitConfiguration()

    enum CodingKeys: String, CodingKey {
        case scratchFolder, allowsPlainHTTP, allowsPrivateAddresses, certificatesPath, checkoutTimeout
        case filesBytesMaximum, filesMaximum
    }

    init() {
        configuration.scratchFolder = "/var/lib/farebox"
    }

    init(from decoder: any Decoder) throws {
        self.init()
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func take<Value: Decodable>(_ key: CodingKeys, into path: WritableKeyPath<GitConfiguration, Value>) throws {
            if let value = try container.decodeIfPresent(Value.self, forKey: key) {
                configuration[keyPath: path] = value
            }
        }
        try take(.scratchFolder, into: \.scratchFolder)
        try take(.allowsPlainHTTP, into: \.allowsPlainHTTP)
        try take(.allowsPrivateAddresses, into: \.allowsPrivateAddresses)
        try take(.filesBytesMaximum, into: \.filesBytesMaximum)
        try take(.filesMaximum, into: \.filesMaximum)
        configuration.certificatesPath = try container.decodeIfPresent(String.self, forKey: .certificatesPath)
        configuration.checkoutTimeout = try container.duration(.checkoutTimeout) ?? configuration.checkoutTimeout
    }
}

/// How the gateway listens.
struct GatewaySection: Decodable {
    var configuration = GatewayConfiguration()

    enum CodingKeys: String, CodingKey { case port, internalPort, loops, timeout, connectionsMaximum, drainDelay }

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
        configuration.loops = try container.decodeIfPresent(Int.self, forKey: .loops)
        configuration.timeout = try container.duration(.timeout) ?? configuration.timeout
        configuration.drainDelay = try container.duration(.drainDelay) ?? configuration.drainDelay
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
