import CRDs
import KubernetesTypes
import Timing

/// What the webhook notes on a Repository: which commit, what it follows, when it was asked for, by which delivery.
struct PushRequest: Equatable, Sendable {
    let commit: String
    var before: String?
    /// By the Git host's clock.
    var pushedAt: Timestamp?
    /// By our clock.
    let requestedAt: Timestamp
    let delivery: String
}

/// The last pushes to a Repository, by which an old or repeated event is told from a new one.
///
/// It lies in an annotation, so that it holds over replicas and restarts. Hosts deliver out of order, and whoever once saw
/// a signed body can send it again: what is older than the newest push must not bring back an old commit.
struct PushHistory: Equatable, Sendable {
    /// One push.
    struct Entry: Equatable, Sendable {
        let commit: String
        var before: String?
        var pushedAt: Timestamp?
        let delivery: String
    }

    /// What a push turns out to be.
    enum Verdict: Equatable, Sendable {
        /// It is what is to be built now.
        case newest
        /// Its commit was superseded by this one before it came.
        case older(than: String)
        /// It was noted before.
        case repeated
    }

    /// Ten lines have some 1.5 kB: enough for the pushes that cross each other, little in an object.
    static let entriesMaximum = 10
    /// Two pushes can be delivered out of order within this time by the host's clock.
    static let crossing: Duration = .seconds(60)

    /// Newest first.
    private(set) var entries: [Entry]

    /// Reads what an object carries; lines that make no sense are dropped.
    init(of metadata: ObjectMeta) {
        entries = (metadata.annotations[FareboxAnnotation.pushes] ?? "").split(separator: "\n")
            .prefix(Self.entriesMaximum).compactMap { Entry(line: $0) }
        let commit = metadata.annotations[FareboxAnnotation.requestedCommit] ?? ""
        guard entries.first?.commit != commit, !commit.isEmpty else { return }
        // Somebody else, or an older version, asked for another commit since.
        let delivery = metadata.annotations[FareboxAnnotation.delivery] ?? "-"
        entries.insert(Entry(commit: commit, delivery: delivery), at: 0)
    }

    /// The annotation's value.
    var text: String { entries.map(\.line).joined(separator: "\n") }

    /// Judges a push and remembers it.
    mutating func take(_ push: PushRequest) -> Verdict {
        guard !entries.contains(where: { $0.delivery == push.delivery }) else { return .repeated }
        let entry = Entry(
            commit: push.commit, before: push.before, pushedAt: push.pushedAt, delivery: push.delivery)
        guard let current = entries.first else {
            entries = [entry]
            return .newest
        }
        let verdict = Self.verdict(entry, after: current)
        switch verdict {
        case .newest: entries.insert(entry, at: 0)
        case .older: entries.insert(entry, at: 1)
        case .repeated: return verdict
        }
        entries = Array(entries.prefix(Self.entriesMaximum))
        return verdict
    }

    private static func verdict(_ push: Entry, after current: Entry) -> Verdict {
        let age = push.pushedAt.flatMap { pushed in current.pushedAt.map { $0 - pushed } }
        if push.commit == current.commit { return age == .zero ? .repeated : .newest }
        // It begins where the branch ends now.
        if push.before == current.commit { return .newest }
        // The branch went on from it already.
        if push.commit == current.before, (age ?? .zero) >= .zero - crossing { return .older(than: current.commit) }
        if let age, age > .zero { return .older(than: current.commit) }
        return .newest
    }
}

extension PushHistory.Entry {
    /// Reads one line; nil where it is none of ours.
    init?(line: Substring) {
        let parts = line.split(separator: Character(" "), omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4, CommitIdentifier.isValid(parts[0]) else { return nil }
        self.init(
            commit: parts[0], before: parts[1] == "-" ? nil : parts[1],
            pushedAt: Int64(parts[2]).map { Timestamp(secondsSinceEpoch: $0) }, delivery: parts[3])
    }

    /// The line.
    var line: String {
        "\(commit) \(before ?? "-") \(pushedAt.map { String($0.secondsSinceEpoch) } ?? "-") \(delivery)"
    }
}
