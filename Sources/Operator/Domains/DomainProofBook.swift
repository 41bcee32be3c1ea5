import CRDs
import KubernetesTypes
import Synchronization

/// What is known of the proofs of all Functions' domains, and when each is looked at again.
///
/// The statuses of Functions keep it over restarts; this holds what changes too often for them.
final class DomainProofBook: Sendable {
    private struct Entry {
        var proving: DomainProving
        var dueAt: ContinuousClock.Instant
        /// Whether nobody answered at the last look.
        var isSilent = false
    }

    private let entries = Mutex<[ObjectKey: [String: Entry]]>([:])

    /// Begins to follow the domains that a Function has to prove, and forgets others of it.
    ///
    /// - Parameter known: What its status says.
    func follow(_ key: ObjectKey, _ domains: [String], known: [DomainProof], now: ContinuousClock.Instant = .now) {
        entries.withLock { entries in
            let former = entries[key] ?? [:]
            var followed: [String: Entry] = [:]
            for domain in domains {
                followed[domain] =
                    former[domain]
                    ?? Entry(proving: DomainProving(known.first { $0.domain == domain }), dueAt: now)
            }
            entries[key] = followed.isEmpty ? nil : followed
        }
    }

    /// Forgets a Function that is gone.
    func forget(_ key: ObjectKey) { entries.withLock { $0[key] = nil } }

    /// The domains of a Function to look at now, and whether nobody answered when each was looked at last; these come last.
    func due(_ key: ObjectKey, now: ContinuousClock.Instant = .now) -> [(domain: String, isSilent: Bool)] {
        let due = entries.withLock { ($0[key] ?? [:]).filter { $0.value.dueAt <= now } }
        return due.map { (domain: $0.key, isSilent: $0.value.isSilent) }
            .sorted { ($0.isSilent ? 1 : 0, $0.domain) < ($1.isSilent ? 1 : 0, $1.domain) }
    }

    /// When the next domain of a Function is due; nil when none is followed.
    func nextDue(_ key: ObjectKey) -> ContinuousClock.Instant? {
        entries.withLock { $0[key]?.values.map(\.dueAt).min() }
    }

    /// Takes what a look found.
    ///
    /// - Returns: Whether it changes what the Function's status has to say.
    func take(
        _ finding: DomainProving.Finding, _ key: ObjectKey, _ domain: String, now: ContinuousClock.Instant = .now,
        time: Time = .now
    ) -> Bool {
        entries.withLock { entries in
            // It may be gone since it was asked about.
            guard var entry = entries[key]?[domain] else { return false }
            let before = (entry.proving.since, entry.proving.misses)
            entry.dueAt = now + entry.proving.take(finding, now: time)
            entry.isSilent = finding == .unknown
            entries[key]?[domain] = entry
            return before != (entry.proving.since, entry.proving.misses)
        }
    }

    /// The proofs that stand for domains of a Function, in their order.
    ///
    /// - Parameter known: What its status says, which counts for domains that are not followed yet.
    func proofs(_ key: ObjectKey, _ domains: [String], known: [DomainProof]) -> [DomainProof] {
        let followed = entries.withLock { $0[key] ?? [:] }
        return domains.compactMap { domain in
            guard let proving = followed[domain]?.proving else { return known.first { $0.domain == domain } }
            return proving.since.map {
                DomainProof(domain: domain, since: $0, misses: proving.misses == 0 ? nil : proving.misses)
            }
        }
    }
}
