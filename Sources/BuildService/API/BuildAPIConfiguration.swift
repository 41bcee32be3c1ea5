import Builds
import Timing

/// How the Function Builder API runs.
///
/// Every field has a default.
public struct BuildAPIConfiguration: Codable, Hashable, Sendable {
    /// The numeric address to listen on.
    public var address = "0.0.0.0"
    /// The port.
    public var port: UInt16 = 8080
    /// The file with the key that clients sign with: the mounted Secret `farebox-builder-payload`.
    ///
    /// It is read for every request, so that a new key counts at once; without it every build is refused.
    public var payloadSecretPath = "/etc/farebox-builder-payload/payload-secret"
    /// The file with the private key that build secrets are sealed for, in base64: the mounted Secret `farebox-builder-key`.
    ///
    /// Beside it, with `.former` behind its name, may be the key that it replaced. Without a file there are no build secrets.
    public var buildSecretKeyPath = "/etc/farebox-builder-key/key"
    /// So many builds run at once.
    public var inflightMaximum = 4
    /// So many more wait for their turn; further ones are answered 429.
    public var queueMaximum = 32
    /// A request may not be larger.
    public var bodyBytesMaximum = 256 << 20
    /// The files of a request may not have more together.
    public var expandedBytesMaximum = 512 << 20
    /// A request may not hold more files, folders and links.
    public var entriesMaximum = 20_000
    /// The platforms that nodes can build for, such as `linux/arm64`; empty for the builder's own alone.
    public var platforms: [String] = []
    /// Where images may go, as the beginnings of their names, such as `registry.example.com/team/`; empty for anywhere.
    public var allowedImages: [String] = []
    /// For so long a build that ended can be asked for by its id, as `1h`.
    public var retention = "1h"

    /// Makes the default configuration.
    public init() {}

    /// Decodes a configuration; absent fields get their defaults.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func value<Value: Decodable>(_ key: CodingKeys, _ absent: Value) throws -> Value {
            try container.decodeIfPresent(Value.self, forKey: key) ?? absent
        }
        let defaults = BuildAPIConfiguration()
        address = try value(.address, defaults.address)
        port = try value(.port, defaults.port)
        payloadSecretPath = try value(.payloadSecretPath, defaults.payloadSecretPath)
        buildSecretKeyPath = try value(.buildSecretKeyPath, defaults.buildSecretKeyPath)
        inflightMaximum = try value(.inflightMaximum, defaults.inflightMaximum)
        queueMaximum = try value(.queueMaximum, defaults.queueMaximum)
        bodyBytesMaximum = try value(.bodyBytesMaximum, defaults.bodyBytesMaximum)
        expandedBytesMaximum = try value(.expandedBytesMaximum, defaults.expandedBytesMaximum)
        entriesMaximum = try value(.entriesMaximum, defaults.entriesMaximum)
        platforms = try value(.platforms, defaults.platforms)
        allowedImages = try value(.allowedImages, defaults.allowedImages)
        retention = try value(.retention, defaults.retention)
    }

    /// Returns what is wrong with the configuration, one sentence each; empty when nothing is.
    public func validate() -> [String] {
        var problems: [String] = []
        for (name, value) in [
            ("inflightMaximum", inflightMaximum), ("bodyBytesMaximum", bodyBytesMaximum),
            ("expandedBytesMaximum", expandedBytesMaximum), ("entriesMaximum", entriesMaximum),
        ]
        where value < 1 {
            problems.append("\(name): must be above 0")
        }
        if queueMaximum < 0 { problems.append("queueMaximum: must not be below 0") }
        for platform in platforms where !BuildOrder.isPlatform(platform) {
            problems.append("platforms: \"\(platform)\" is no platform; write it like linux/arm64")
        }
        if allowedImages.contains("") { problems.append("allowedImages: an empty entry would allow everything") }
        if Duration(goStyle: retention).map({ $0 > .zero }) != true {
            problems.append("retention: \"\(retention)\" is not a span of time above zero; write it like 30m or 1h")
        }
        return problems
    }

    var retentionTime: Duration { Duration(goStyle: retention) ?? .seconds(3600) }

    /// What a request may ask for.
    var rules: BuildOrder.Rules {
        BuildOrder.Rules(
            platforms: platforms.isEmpty ? [BuildOrder.ownPlatform] : platforms, allowedImages: allowedImages)
    }
}
