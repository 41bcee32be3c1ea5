/// How a process with controllers starts, leads and stops.
public struct ManagerConfiguration: Sendable {
    /// How to find the one process that leads; nil means this one always does.
    public var leaderElection: LeaderElectionConfiguration?

    /// How long everything together may take to stop; default 30 s.
    public var gracePeriod = Duration.seconds(30)

    /// Whether SIGTERM and SIGINT stop the manager, and a second one ends the process at once; default yes.
    public var handlesSignals = true

    /// The address that health checks and metrics are served on; nil serves none.
    ///
    /// Default all addresses.
    public var healthAddress: String? = "0.0.0.0"

    /// The port for health checks and metrics; 0 takes a free one.
    ///
    /// Default 9090.
    public var healthPort: UInt16 = 9090

    /// Makes a configuration with the defaults: no leader election, port 9090.
    public init() {}
}
