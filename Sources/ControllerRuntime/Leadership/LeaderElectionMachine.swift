import KubernetesTypes
import Timing

/// Decides how one candidate takes, keeps, loses and gives back a Lease; it does no I/O and reads no clock.
///
/// The rules are those of client-go's `tools/leaderelection`. What it promises: two candidates that follow it never lead
/// at once, as long as their clocks run at the same speed. They need not show the same time: a candidate measures
/// with its own clock since it last saw the record change, and never compares `renewTime`.
struct LeaderElectionMachine: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// What to do next.
    ///
    /// Each is answered by one of the events.
    enum Action: Equatable, Sendable {
        /// Get the Lease: `found`, `missing` or `failed`.
        case read
        /// Create the Lease: `written`, `conflicted` or `failed`.
        case create(Lease)
        /// Replace the Lease, if it still has the version inside: `written`, `conflicted` or `failed`.
        case update(Lease)
        /// Do nothing for a while: `resumed`.
        case pause(Duration)
        /// It is over.
        case finish(Outcome)
    }

    /// How it ended.
    enum Outcome: Equatable, Sendable {
        /// We led and no longer may: whatever needs leadership must stop at once.
        case lost
        /// We stopped on request, and gave the lease back if we had it.
        case stopped
    }

    /// What happened.
    enum Event: Sendable {
        case started
        case resumed
        case found(Lease)
        case missing
        case written(Lease)
        /// The Lease was changed, or created, by another in the meantime.
        case conflicted
        /// No answer, or one that says nothing about the Lease; a write may or may not have happened.
        case failed
        /// Give the lease back, if we hold it, and end.
        case stop
    }

    private enum Phase: Equatable {
        case candidate
        case leader
        case releasing
        case finished
    }

    let configuration: LeaderElectionConfiguration
    private var phase = Phase.candidate
    private var random: SplitMix64

    /// The Lease as last seen, and when we first saw it say that.
    private var seen: Lease?
    private var seenSince: Instant?

    /// When the write that is under way was decided.
    private var attemptedAt: Instant?

    /// Since when our last successful renewal counts: the moment before it was sent.
    private var renewedAt: Instant?

    /// The release met a newer version once; it is not tried a third time.
    private var hasRetriedRelease = false

    init(configuration: LeaderElectionConfiguration, seed: UInt64) {
        self.configuration = configuration
        self.random = SplitMix64(seed: seed)
    }

    /// Whether we hold the lease.
    var isLeader: Bool { phase == .leader }

    /// Who held the lease when it was last seen; empty when nobody did.
    var holder: String { seen?.spec.holderIdentity ?? "" }

    /// When a leader must stop unless it renews before; nil for a candidate.
    var renewalDeadline: Instant? {
        isLeader ? renewedAt?.advanced(by: configuration.renewDeadline) : nil
    }

    /// Takes one thing that happened and returns what to do.
    ///
    /// - Parameter wall: The present time, written into the Lease for people to read.
    mutating func handle(_ event: Event, now: Instant, wall: MicroTime) -> Action {
        if phase == .finished {
            return .finish(.stopped)
        }
        if phase == .releasing {
            return releasing(event, wall: wall)
        }
        if case .stop = event {
            return stop(wall: wall)
        }
        if isLeader, let renewalDeadline, now >= renewalDeadline {
            // Even if this event says that a late renewal worked: another may have started to lead.
            return finish(.lost)
        }
        switch event {
        case .started: return .read
        case .resumed: return isLeader ? renew(now: now, wall: wall) : .read
        case .found(let lease): return found(lease, now: now, wall: wall)
        case .missing:
            seen = nil
            attemptedAt = now
            return .create(claim(of: nil, wall: wall))
        case .written(let lease): return written(lease, now: now)
        case .conflicted: return isLeader ? .read : .pause(stretched(configuration.observePeriod))
        case .failed: return failed(now: now)
        case .stop: return stop(wall: wall)
        }
    }

    // MARK: - Events

    private mutating func found(_ lease: Lease, now: Instant, wall: MicroTime) -> Action {
        note(lease, now: now)
        if isLeader {
            guard lease.spec.holderIdentity == configuration.identity || lease.spec.holderIdentity.isEmpty else {
                return finish(.lost)
            }
            return renew(now: now, wall: wall)
        }
        let left = remaining(of: lease, now: now)
        guard left > .zero else {
            attemptedAt = now
            return .update(claim(of: lease, wall: wall))
        }
        return .pause(min(left, stretched(configuration.observePeriod)))
    }

    private mutating func written(_ lease: Lease, now: Instant) -> Action {
        note(lease, now: now)
        renewedAt = attemptedAt ?? now
        phase = .leader
        return .pause(configuration.retryPeriod)
    }

    private mutating func failed(now: Instant) -> Action {
        guard let renewalDeadline else {
            return .pause(stretched(configuration.retryPeriod))
        }
        return .pause(min(configuration.retryPeriod, now.duration(to: renewalDeadline)))
    }

    private mutating func stop(wall: MicroTime) -> Action {
        guard isLeader, let seen else {
            return finish(.stopped)
        }
        phase = .releasing
        return .update(released(seen, wall: wall))
    }

    private mutating func releasing(_ event: Event, wall: MicroTime) -> Action {
        switch event {
        case .conflicted where !hasRetriedRelease:
            hasRetriedRelease = true
            return .read
        case .found(let lease) where lease.spec.holderIdentity == configuration.identity:
            return .update(released(lease, wall: wall))
        default:
            return finish(.stopped)
        }
    }

    private mutating func finish(_ outcome: Outcome) -> Action {
        phase = .finished
        return .finish(outcome)
    }

    // MARK: - Records

    private mutating func note(_ lease: Lease, now: Instant) {
        // Only what the holder writes counts as a sign of life, not a label set by somebody else.
        if seen?.spec != lease.spec || seenSince == nil {
            seenSince = now
        }
        seen = lease
    }

    /// How long we must still leave the lease alone.
    private func remaining(of lease: Lease, now: Instant) -> Duration {
        let holder = lease.spec.holderIdentity
        guard !holder.isEmpty, holder != configuration.identity, let seenSince else {
            return .zero
        }
        return promisedDuration(of: lease) - seenSince.duration(to: now)
    }

    /// How long the holder claims the lease after a renewal; a missing or absurd value counts as our own.
    private func promisedDuration(of lease: Lease) -> Duration {
        guard let seconds = lease.spec.leaseDurationSeconds, (1...3600).contains(seconds) else {
            return configuration.duration
        }
        return .seconds(Int(seconds))
    }

    private mutating func renew(now: Instant, wall: MicroTime) -> Action {
        guard let seen else {
            return .read
        }
        attemptedAt = now
        return .update(claim(of: seen, wall: wall))
    }

    private func claim(of lease: Lease?, wall: MicroTime) -> Lease {
        var claim =
            lease
            ?? Lease(metadata: ObjectMeta(name: configuration.name, namespace: configuration.namespace))
        if claim.spec.holderIdentity != configuration.identity {
            claim.spec.acquireTime = wall
            if lease != nil {
                let (transitions, overflow) = (claim.spec.leaseTransitions ?? 0).addingReportingOverflow(1)
                claim.spec.leaseTransitions = overflow ? Int32.max : transitions
            } else {
                claim.spec.leaseTransitions = 0
            }
        }
        claim.spec.holderIdentity = configuration.identity
        claim.spec.leaseDurationSeconds = Int32(clamping: configuration.duration.components.seconds)
        claim.spec.renewTime = wall
        return claim
    }

    /// The Lease as a clean stop leaves it: no holder, and a duration of 1 s for candidates that look at nothing else.
    private func released(_ lease: Lease, wall: MicroTime) -> Lease {
        var released = lease
        released.spec.holderIdentity = ""
        released.spec.leaseDurationSeconds = 1
        released.spec.acquireTime = wall
        released.spec.renewTime = wall
        return released
    }

    private mutating func stretched(_ duration: Duration) -> Duration {
        Jitter(LeaderElectionConfiguration.jitter).lengthened(duration, using: &random)
    }
}
