import Timing

/// How the artifact store runs.
///
/// Every field has a default.
public struct ArtifactServerConfiguration: Codable, Hashable, Sendable {
    /// The numeric address to serve artifacts on.
    public var address = "0.0.0.0"
    /// The port for artifacts.
    public var port: UInt16 = 8082
    /// The port for health and metrics, never exposed by the Service.
    public var internalPort: UInt16 = 9090
    /// The folder that holds the artifacts.
    public var folder = "/var/lib/farebox/artifacts"
    /// The file with the shared key in base64: the mounted Secret `farebox-artifacts`.
    public var keyPath = "/etc/farebox/artifacts/key"
    /// One artifact may not be larger.
    public var artifactBytesMaximum = 512 << 20
    /// All artifacts together may not be larger; the least recently used go first.
    public var totalBytesMaximum = 8 << 30
    /// Artifacts that nobody stored or fetched for this long go, as `24h`.
    public var retention = "24h"
    /// Artifacts used within this time stay, however full the folder is: their builds may not have begun, as `30m`.
    public var protection = "30m"
    /// Uploads and downloads at once.
    public var connectionsMaximum = 256

    /// Makes the default configuration.
    public init() {}

    /// Decodes a configuration; absent fields get their defaults.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func value<Value: Decodable>(_ key: CodingKeys, _ absent: Value) throws -> Value {
            try container.decodeIfPresent(Value.self, forKey: key) ?? absent
        }
        let defaults = ArtifactServerConfiguration()
        address = try value(.address, defaults.address)
        port = try value(.port, defaults.port)
        internalPort = try value(.internalPort, defaults.internalPort)
        folder = try value(.folder, defaults.folder)
        keyPath = try value(.keyPath, defaults.keyPath)
        artifactBytesMaximum = try value(.artifactBytesMaximum, defaults.artifactBytesMaximum)
        totalBytesMaximum = try value(.totalBytesMaximum, defaults.totalBytesMaximum)
        retention = try value(.retention, defaults.retention)
        protection = try value(.protection, defaults.protection)
        connectionsMaximum = try value(.connectionsMaximum, defaults.connectionsMaximum)
    }

    /// Returns what is wrong with the configuration, one sentence each; empty when nothing is.
    public func validate() -> [String] {
        var problems: [String] = []
        if artifactBytesMaximum < 1 { problems.append("artifactBytesMaximum: must be above 0") }
        if totalBytesMaximum < artifactBytesMaximum {
            problems.append("totalBytesMaximum: must hold at least one artifact of artifactBytesMaximum")
        }
        for (name, text) in [("retention", retention), ("protection", protection)]
        where Duration(goStyle: text).map({ $0 > .zero }) != true {
            problems.append("\(name): \"\(text)\" is not a span of time above zero; write it like 30m or 24h")
        }
        if connectionsMaximum < 1 { problems.append("connectionsMaximum: must be above 0") }
        return problems
    }

    var limits: ArtifactLimits {
        ArtifactLimits(
            artifactBytesMaximum: artifactBytesMaximum, totalBytesMaximum: totalBytesMaximum,
            retention: Duration(goStyle: retention) ?? .seconds(86400),
            protection: Duration(goStyle: protection) ?? .seconds(1800))
    }
}
