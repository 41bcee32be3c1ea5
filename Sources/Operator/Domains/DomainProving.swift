import CRDs
import KubernetesTypes

/// Whether a domain's proof stands, over time: what a look-up found goes in, when to look again comes out.
///
/// A proof is given by one look and lost by ``missesMaximum`` in a row that find the record gone; looks that nobody answered
/// are none of these, since they say nothing about the domain.
struct DomainProving: Equatable, Sendable {
    /// What a look-up found.
    enum Finding: Sendable {
        /// The record.
        case stands
        /// Other records, or none: it is not there.
        case absent
        /// No answer.
        case unknown
    }

    /// Looks in a row that find the record gone, and end its proof: half an hour's.
    static let missesMaximum: Int32 = 4
    /// From one look to the next while the record stands.
    static let interval = Duration.seconds(3600)
    /// From one look to the next while it is in doubt, and at most while it was never there.
    static let doubtInterval = Duration.seconds(600)
    /// After the first look that did not find it; twice as long after each further one.
    static let firstInterval = Duration.seconds(15)

    /// Since when it stands; nil while there is no proof.
    private(set) var since: Time?
    /// How often in a row the record was gone.
    private(set) var misses: Int32 = 0
    /// Looks in vain without a proof.
    private var tries = 0

    /// Goes on from what an earlier process found; from nothing by default.
    init(_ proof: DomainProof? = nil) {
        since = proof?.since
        // What is written down is never beyond the limit, and not trusted to be.
        misses = proof.map { max(0, min($0.misses ?? 0, Self.missesMaximum - 1)) } ?? 0
    }

    /// Takes what a look found.
    ///
    /// - Returns: When to look again.
    mutating func take(_ finding: Finding, now: Time) -> Duration {
        switch (finding, since) {
        case (.stands, _):
            since = since ?? now
            (misses, tries) = (0, 0)
            return Self.interval
        case (.unknown, .some): return Self.doubtInterval
        case (.absent, .some):
            misses += 1
            guard misses >= Self.missesMaximum else { return Self.doubtInterval }
            (since, misses, tries) = (nil, 0, 1)
            return Self.firstInterval
        case (_, nil):
            tries += 1
            // 15 s · 2^6 is beyond ten minutes.
            return min(Self.firstInterval * (1 << min(tries - 1, 6)), Self.doubtInterval)
        }
    }
}
