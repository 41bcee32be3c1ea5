import Builds
import KubernetesTypes
import Synchronization
import Timing

/// Follows a build to its end, for one client.
struct BuildFollower: Sendable {
    let source: BuildLogSource

    /// Hands the lines of the log on as they come, and returns the result after the last one.
    ///
    /// - Parameter take: Gets lines that came together.
    /// - Throws: What `take` throws; `CancellationError`.
    func follow(
        _ build: OngoingBuild, take: @escaping @Sendable ([String]) async throws -> Void
    ) async throws -> BuildResult {
        var seen = 0
        // By uid: a second attempt has a pod of its own.
        var read: Set<String> = []
        while true {
            let (version, stage) = try await build.stage.next(after: seen)
            seen = version
            switch stage {
            case .queued(let before):
                try await take(["v: \(Timestamp.now.rfc3339()) [queue] waiting, \(before) before this one"])
            case .starting:
                try await take(["v: \(Timestamp.now.rfc3339()) [queue] starting"])
            case .running(let pod):
                if read.insert(pod.metadata.uid).inserted { try await log(of: pod, follows: true, take) }
            case .finished(let result, let pod):
                if let pod, read.insert(pod.metadata.uid).inserted { try await log(of: pod, follows: false, take) }
                return result
            }
        }
    }

    private func log(
        of pod: Pod, follows: Bool, _ take: @escaping @Sendable ([String]) async throws -> Void
    ) async throws {
        let progress = Mutex(PlainProgress())
        let end = try await source.read(pod, follows: follows) { lines, _ in
            let log = progress.withLock { progress in lines.flatMap { progress.take($0) } }
            if !log.isEmpty { try await take(log) }
        }
        if end == .interrupted {
            try await take(["l: \(Timestamp.now.rfc3339()) (the rest of the log cannot be read)"])
        }
    }
}

/// The end of a log, for an answer that is sent in one piece.
struct KeptLog: Sendable {
    let bytesMaximum: Int
    private var lines: [String] = []
    private var sizeBytes = 0
    private var dropped = 0

    init(bytesMaximum: Int = 1 << 20) { self.bytesMaximum = bytesMaximum }

    mutating func take(_ more: [String]) {
        lines += more
        sizeBytes += more.reduce(0) { $0 + $1.utf8.count + 1 }
        // Twice the limit, so that each line moves once on average.
        guard sizeBytes > bytesMaximum * 2 else { return }
        drop()
    }

    /// What is kept, below a line that says how much is missing.
    mutating func finish() -> [String] {
        if sizeBytes > bytesMaximum { drop() }
        return (dropped > 0 ? ["(\(dropped) lines before this are not kept)"] : []) + lines
    }

    private mutating func drop() {
        var count = 0
        while sizeBytes > bytesMaximum, count < lines.count {
            sizeBytes -= lines[count].utf8.count + 1
            count += 1
        }
        lines.removeFirst(count)
        dropped += count
    }
}
