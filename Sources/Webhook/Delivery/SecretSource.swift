import FoundationEssentials
import Synchronization
import Timing

/// Where the webhook's secrets come from.
protocol SecretSource: Sendable {
    /// The secrets of a host that are valid now; none means that every delivery of it is refused.
    func current(for host: GitHostKind) -> [[UInt8]]
}

/// The files of a mounted Secret, two for each host: `github` and `github-next`, `gitlab` and `gitlab-next`, and so on.
///
/// Two files, so that a secret is replaced without a refused delivery: add the new one as `github-next`, change the Git
/// host, then move it to `github`. Surrounding white space is dropped: editors and `echo` add it.
final class MountedSecrets: SecretSource {
    /// A change is seen after at most this time, beside the kubelet's own delay of about a minute.
    static let lifetime: Duration = .seconds(5)

    private struct Cached {
        var secrets: [GitHostKind: [[UInt8]]] = [:]
        var readAt: ContinuousClock.Instant?
    }

    private let folder: String
    private let cached = Mutex(Cached())

    init(folder: String) {
        self.folder = folder
    }

    func current(for host: GitHostKind) -> [[UInt8]] {
        cached.withLock { cached in
            let now = ContinuousClock.now
            if let readAt = cached.readAt, now - readAt < Self.lifetime { return cached.secrets[host] ?? [] }
            cached = Cached(readAt: now)
            for host in GitHostKind.allCases {
                let names = [host.rawValue, host.rawValue + "-next"]
                cached.secrets[host] = names.compactMap { SecretFile.read(folder + "/" + $0) }
            }
            return cached.secrets[host] ?? []
        }
    }
}

/// A file with one secret in it.
enum SecretFile {
    /// A secret is a line; whatever is longer than this is another file.
    private static let bytesMaximum = 64 * 1024

    /// Reads it without surrounding white space; nil when it is not there, empty or far too long.
    static func read(_ path: String) -> [UInt8]? {
        guard let data = try? Data(contentsOf: URL(filePath: path)), data.count <= bytesMaximum else { return nil }
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0D).contains($0) }
        let trimmed = Array(data).drop(while: isSpace).reversed().drop(while: isSpace).reversed()
        return trimmed.isEmpty ? nil : Array(trimmed)
    }
}
