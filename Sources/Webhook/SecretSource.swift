import FoundationEssentials
import Synchronization
import Timing

/// Where the webhook's secrets come from.
protocol SecretSource: Sendable {
    /// The secrets that are valid now; none means that every delivery is refused.
    func current() -> [[UInt8]]
}

/// The files `github` and `github-next` of a mounted Secret, read again every few seconds.
///
/// Two files, so that a secret is replaced without a refused delivery: add the new one as `github-next`, change the Git
/// host, then move it to `github`. Surrounding white space is dropped: editors and `echo` add it.
final class MountedSecrets: SecretSource {
    /// A change is seen after at most this time, beside the kubelet's own delay of about a minute.
    static let lifetime: Duration = .seconds(5)
    private static let names = ["github", "github-next"]

    private struct Cached {
        var secrets: [[UInt8]] = []
        var readAt: ContinuousClock.Instant?
    }

    private let folder: String
    private let cached = Mutex(Cached())

    init(folder: String) {
        self.folder = folder
    }

    func current() -> [[UInt8]] {
        cached.withLock { cached in
            let now = ContinuousClock.now
            if let readAt = cached.readAt, now - readAt < Self.lifetime { return cached.secrets }
            cached = Cached(secrets: Self.names.compactMap { Self.read(folder + "/" + $0) }, readAt: now)
            return cached.secrets
        }
    }

    private static func read(_ path: String) -> [UInt8]? {
        guard let data = try? Data(contentsOf: URL(filePath: path)) else { return nil }
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0D).contains($0) }
        let trimmed = Array(data).drop(while: isSpace).reversed().drop(while: isSpace).reversed()
        return trimmed.isEmpty ? nil : Array(trimmed)
    }
}
