/// When a lease is renewed, given up and taken over.
public struct LeaderElectionConfiguration: Sendable, Equatable {
    /// The namespace of the Lease.
    public var namespace: String

    /// The name of the Lease.
    public var name: String

    /// Who we are, unique among all candidates; by default the host's name and a random part.
    public var identity: String

    /// How long the lease is held after a renewal.
    ///
    /// A candidate waits this long after it last saw the record change. Default 15 s.
    public var duration = Duration.seconds(15)

    /// A leader that could not renew for this long stops leading.
    ///
    /// Default 10 s.
    public var renewDeadline = Duration.seconds(10)

    /// How often the leader renews.
    ///
    /// Default 2 s.
    public var retryPeriod = Duration.seconds(2)

    /// Makes a configuration with the default times.
    public init(namespace: String, name: String, identity: String) {
        self.namespace = namespace
        self.name = name
        self.identity = identity
    }

    /// Waits are stretched by up to this share, so that candidates do not act in step.
    static let jitter = 0.2

    /// How often a candidate looks at the lease.
    ///
    /// With jitter this is at most 1.2 s by default: with three requests that take 0.2 s each (the release, a look, the claim)
    /// a lease given back on a clean stop is taken within 2 s.
    var observePeriod: Duration { retryPeriod / 2 }

    /// The time one request may take, so that a leader has two tries before its deadline.
    public var requestTimeout: Duration { max(.seconds(1), renewDeadline / 2) }

    /// What is wrong with the times, in words; nil when they are sound.
    ///
    /// `duration > renewDeadline > retryPeriod × 1.2`: the leader must stop before another may start.
    public var violation: String? {
        guard !identity.isEmpty, !name.isEmpty, !namespace.isEmpty else {
            return "leader election needs a namespace, a name and an identity"
        }
        guard duration >= .seconds(1) else {
            return "the lease duration must be at least 1 s"
        }
        guard duration > renewDeadline else {
            return "the lease duration must be longer than the renew deadline"
        }
        guard retryPeriod > .zero, renewDeadline > retryPeriod * (1 + Self.jitter) else {
            return "the renew deadline must be longer than 1.2 × the retry period"
        }
        return nil
    }
}
