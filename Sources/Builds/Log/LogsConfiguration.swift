import Glibc
public import HTTP
import Timing

/// Where the logs of builds are kept and served: the section `logs`.
///
/// The builder keeps and serves them; the operator hands them over. Every field has a default.
public struct LogsConfiguration: Codable, Hashable, Sendable {
    /// Where the operator reaches the log API.
    public var url = "http://farebox-builder.farebox-system:8083"
    /// Where people reach it; ``url`` when absent.
    public var publicURL: String?
    /// The port of the log API.
    public var port: UInt16 = 8083
    /// The folder that holds the logs, unless they are in a bucket.
    public var folder = "/var/lib/farebox/logs"
    /// Of a longer log the end is kept.
    public var logBytesMaximum = 8 << 20
    /// Older logs go, as `720h`.
    public var retention = "720h"
    /// All logs together may not be larger; the oldest go first.
    public var totalBytesMaximum = 1 << 30
    /// The bucket that holds the logs instead of the folder.
    public var s3: S3Settings?
    /// The namespace whose Repositories have logs without a namespace before them; set from `functionsNamespace`.
    public var ownNamespace = "farebox-functions"

    /// A bucket of S3, or of what speaks its protocol.
    public struct S3Settings: Codable, Hashable, Sendable {
        /// Such as `https://s3.eu-central-1.amazonaws.com`.
        public var endpoint = ""
        /// The bucket's name.
        public var bucket = ""
        /// Its region.
        public var region = "us-east-1"
        /// What each key begins with, such as `farebox/`.
        public var prefix = ""
        /// A mounted Secret with the files `accessKeyID` and `secretAccessKey`.
        public var credentialsFolder = "/etc/farebox-s3"
        /// Whether `http://` is accepted; whoever is on the way can then read the logs.
        public var allowsPlainHTTP = false

        /// Makes settings that name no bucket yet.
        public init() {}

        /// Decodes; absent fields get their defaults.
        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            endpoint = try container.decodeIfPresent(String.self, forKey: .endpoint) ?? endpoint
            bucket = try container.decodeIfPresent(String.self, forKey: .bucket) ?? bucket
            region = try container.decodeIfPresent(String.self, forKey: .region) ?? region
            prefix = try container.decodeIfPresent(String.self, forKey: .prefix) ?? prefix
            credentialsFolder =
                try container.decodeIfPresent(String.self, forKey: .credentialsFolder) ?? credentialsFolder
            allowsPlainHTTP = try container.decodeIfPresent(Bool.self, forKey: .allowsPlainHTTP) ?? allowsPlainHTTP
        }
    }

    enum CodingKeys: String, CodingKey {
        case url, publicURL, port, folder, logBytesMaximum, retention, totalBytesMaximum, s3
    }

    /// Makes the default configuration.
    public init() {}

    /// Decodes a configuration; absent fields get their defaults.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func value<Value: Decodable>(_ key: CodingKeys, _ absent: Value) throws -> Value {
            try container.decodeIfPresent(Value.self, forKey: key) ?? absent
        }
        url = try value(.url, url)
        publicURL = try container.decodeIfPresent(String.self, forKey: .publicURL)
        port = try value(.port, port)
        folder = try value(.folder, folder)
        logBytesMaximum = try value(.logBytesMaximum, logBytesMaximum)
        retention = try value(.retention, retention)
        totalBytesMaximum = try value(.totalBytesMaximum, totalBytesMaximum)
        s3 = try container.decodeIfPresent(S3Settings.self, forKey: .s3)
    }

    /// Returns what is wrong with the configuration, one sentence each; empty when nothing is.
    public func validate() -> [String] {
        var problems: [String] = []
        for (name, text) in [("url", url), ("publicURL", publicURL ?? url)] where !Self.isBase(text) {
            problems.append("\(name): must begin with http:// or https:// and have neither query nor fragment")
        }
        if Duration(goStyle: retention).map({ $0 > .zero }) != true {
            problems.append("retention: \"\(retention)\" is not a span of time above zero; write it like 72h or 720h")
        }
        if !(1024...(64 << 20)).contains(logBytesMaximum) {
            problems.append("logBytesMaximum: must be from 1 KiB to 64 MiB")
        }
        if totalBytesMaximum < logBytesMaximum { problems.append("totalBytesMaximum: must hold at least one log") }
        if let s3 { problems += s3.problems.map { "s3." + $0 } }
        return problems
    }

    fileprivate static func isBase(_ text: String) -> Bool {
        (text.hasPrefix("http://") || text.hasPrefix("https://")) && !text.contains { "?#@ ".contains($0) }
    }

    /// Where people find logs.
    public var publicAddress: LogAddress { LogAddress(base: publicURL ?? url) }
    /// Where the operator stores logs.
    public var address: LogAddress { LogAddress(base: url) }

    /// How long logs are kept.
    public var rule: LogRetention {
        LogRetention(age: Duration(goStyle: retention) ?? .seconds(720 * 3600), totalBytesMaximum: totalBytesMaximum)
    }

    /// The namespace as a ``LogKey`` has it.
    public func keyNamespace(_ namespace: String) -> String? { namespace == ownNamespace ? nil : namespace }

    /// Opens the store.
    ///
    /// - Parameter client: Speaks with the bucket, which may well be on a private address.
    /// - Throws: ``LogStoreError``.
    public func store(client: HTTPClient) throws(LogStoreError) -> any LogStore {
        guard let s3 else { return try LogFolder(path: folder, bytesMaximum: logBytesMaximum) }
        let location = LogBucket.Location(
            endpoint: s3.endpoint.hasSuffix("/") ? String(s3.endpoint.dropLast()) : s3.endpoint, bucket: s3.bucket,
            region: s3.region, prefix: s3.prefix)
        let folder = s3.credentialsFolder
        return LogBucket(client: client, location: location, bytesMaximum: logBytesMaximum) {
            guard let id = Self.word(inFile: folder + "/accessKeyID"),
                let key = Self.word(inFile: folder + "/secretAccessKey")
            else { return nil }
            return LogBucket.Credentials(accessKeyID: id, secretAccessKey: key)
        }
    }

    /// The first word of a small file; nil when there is none.
    private static func word(inFile path: String) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1024)
        let count = fread(&bytes, 1, bytes.count, file)
        let word = String(decoding: bytes[..<count], as: UTF8.self).split(whereSeparator: \.isWhitespace).first
        return word.map(String.init)
    }
}

extension LogsConfiguration.S3Settings {
    fileprivate var problems: [String] {
        var problems: [String] = []
        if !LogsConfiguration.isBase(endpoint) {
            problems.append("endpoint: name the server, such as https://s3.eu-central-1.amazonaws.com")
        } else if endpoint.hasPrefix("http://"), !allowsPlainHTTP {
            problems.append(
                "endpoint: plain http is refused; use https://, or set s3.allowsPlainHTTP on a trial network")
        }
        if !(3...63).contains(bucket.utf8.count)
            || !bucket.utf8.allSatisfy({ ASCII.isLowerAlphanumeric($0) || $0 == ASCII.dash || $0 == ASCII.dot })
        {
            problems.append("bucket: 3 to 63 lower-case letters, digits, '-' and '.'")
        }
        if AWSSignature(accessKeyID: "a", secretAccessKey: "b", region: region, service: "s3") == nil {
            problems.append("region: letters, digits and '-'")
        }
        if prefix.hasPrefix("/") || (!prefix.isEmpty && !prefix.hasSuffix("/")) {
            problems.append("prefix: no slash before it, and one after it")
        }
        return problems
    }
}
