/// The bounds of a Function's fields that its schema cannot express.
public enum FunctionLimits {
    /// How long a call may take: a replica that ends is given as long, so an hour is also how long a rollout may wait.
    public static let timeout: ClosedRange<Duration> = .seconds(1)...(.seconds(3600))
    /// How long after its start a replica may be asked first.
    public static let initialDelay: ClosedRange<Duration> = .zero...(.seconds(600))
    /// How long an answer to a health check may take.
    public static let healthTimeout: ClosedRange<Duration> = .seconds(1)...(.seconds(60))
    /// How long a replica may take to start.
    public static let startTimeout: ClosedRange<Duration> = .seconds(1)...(.seconds(1800))
    /// How long without a call until a function goes to zero.
    public static let idleAfter: ClosedRange<Duration> = .seconds(10)...(.seconds(7 * 86400))
    /// How long fewer replicas must have been enough before some are taken away.
    public static let downAfter: ClosedRange<Duration> = .zero...(.seconds(3600))
    /// The wait after the first attempt at a call that nobody waits for.
    public static let retryMinimum: ClosedRange<Duration> = .seconds(1)...(.seconds(3600))
    /// The longest wait between two attempts at one.
    public static let retryMaximum: ClosedRange<Duration> = .seconds(1)...(.seconds(86400))
    /// Bytes of all environment variables together: a process start carries at most 128 KiB in one string and 2 MiB in
    /// all on Linux; an object at most 1.5 MiB in etcd, and the Deployment repeats the variables.
    public static let environmentBytesMaximum = 256 << 10
}
