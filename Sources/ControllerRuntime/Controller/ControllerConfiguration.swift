public import Timing

/// How one controller works through its queue.
public struct ControllerConfiguration: Sendable {
    /// How many keys are reconciled at once; default 10.
    ///
    /// A reconcile waits for the API server most of its time, so this is no matter of cores.
    public var concurrency = 10

    /// How long one reconcile may take before it is cancelled and counted as failed; nil (the default) sets no limit.
    public var reconcileTimeout: Duration?

    /// The waits after failures in a row of one key; default 5 ms doubling to 1000 s, shortened by up to a tenth.
    public var backoff = Backoff(base: .milliseconds(5), ceiling: .seconds(1000), jitter: 0.1)

    /// How long the first lists may take before the controller gives up; default 2 min.
    public var syncTimeout = Duration.seconds(120)

    /// Makes a configuration with the defaults.
    public init() {}
}
