import Glibc
import HTTP
public import Telemetry

/// Where audit events go: the section `audit`.
///
/// Without any field they go to standard output.
public struct AuditConfiguration: Codable, Hashable, Sendable {
    /// Whether each event is a line on standard output.
    public var writesLines = true
    /// A receiver that each event is posted to, signed.
    public var url: String?
    /// The file with the secret that posts are signed with, of a mounted Secret.
    public var secretFile = "/etc/farebox-audit/secret"
    /// The URL of a Slack channel's incoming webhook.
    public var slackURL: String?
    /// The file with that URL, of a mounted Secret: whoever knows the URL may post.
    public var slackURLFile: String?

    /// Makes the default configuration.
    public init() {}

    /// Decodes a configuration; absent fields get their defaults.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let defaults = AuditConfiguration()
        writesLines = try container.decodeIfPresent(Bool.self, forKey: .writesLines) ?? defaults.writesLines
        url = try container.decodeIfPresent(String.self, forKey: .url)
        secretFile = try container.decodeIfPresent(String.self, forKey: .secretFile) ?? defaults.secretFile
        slackURL = try container.decodeIfPresent(String.self, forKey: .slackURL)
        slackURLFile = try container.decodeIfPresent(String.self, forKey: .slackURLFile)
    }

    /// Returns what is wrong with the configuration, one sentence each; empty when nothing is.
    public func validate() -> [String] {
        var problems: [String] = []
        for (name, text) in [("url", url), ("slackURL", slackURL)] {
            guard let text, !text.hasPrefix("https://"), !text.hasPrefix("http://") else { continue }
            problems.append("\(name): must begin with https:// or http://")
        }
        if url != nil, secretFile.isEmpty { problems.append("secretFile: name the file that posts are signed with") }
        if slackURL != nil, slackURLFile != nil { problems.append("slackURLFile: give it or slackURL, not both") }
        return problems
    }

    /// Makes the log of a process.
    ///
    /// - Parameters:
    ///   - source: The process, such as `operator`.
    ///   - registry: Gets the metrics.
    public func log(source: String, registry: MetricsRegistry) -> AuditLog {
        var sinks: [any AuditSink] = []
        if writesLines { sinks.append(AuditLines()) }
        // The administrator's own receivers, which may well be inside the cluster. A client of its own for each: one that
        // hangs must not take the other's connections.
        if let url {
            let path = secretFile
            sinks.append(AuditWebhook(url: url, client: HTTPClient()) { Self.text(ofFile: path) })
        }
        if let slackURL {
            sinks.append(AuditSlack(client: HTTPClient()) { slackURL })
        } else if let path = slackURLFile {
            sinks.append(
                AuditSlack(client: HTTPClient()) {
                    Self.text(ofFile: path).map { String(decoding: $0, as: UTF8.self) }
                })
        }
        return AuditLog(source: source, sinks: sinks, registry: registry)
    }

    /// A secret has no more bytes than this.
    private static let secretBytesMaximum = 4096

    /// What a file holds, without white space around it; nil when it cannot be read or is too long.
    static func text(ofFile path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: secretBytesMaximum + 1)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes {
                read(descriptor, $0.baseAddress?.advanced(by: count), $0.count - count)
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { return nil }
            if got == 0 { break }
            count += got
        }
        guard count <= secretBytesMaximum else { return nil }
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0D).contains($0) }
        let text = bytes[..<count].drop(while: isSpace).reversed().drop(while: isSpace).reversed()
        return text.isEmpty ? nil : Array(text)
    }
}
