/// How one function scales by itself.
public struct AutoscaleRules: Sendable, Equatable {
    /// Calls at once that one replica should have; `nil` when the number of replicas is somebody else's.
    public var target: Int?
    /// The least number of replicas while there are any.
    public var least: Int
    /// The greatest number of replicas.
    public var most: Int
    /// How long without a call until there is none; `nil` for never.
    public var idleAfter: Duration?
    /// How long fewer replicas must have been enough before some are taken away.
    public var downAfter: Duration

    /// Makes rules.
    ///
    /// - Parameters:
    ///   - target: Calls at once that one replica should have; above zero.
    ///   - least: At least 1.
    ///   - most: At least `least`.
    public init(target: Int?, least: Int, most: Int, idleAfter: Duration?, downAfter: Duration) {
        self.target = target.map { max(1, $0) }
        self.least = max(1, least)
        self.most = max(self.least, most)
        self.idleAfter = idleAfter
        self.downAfter = downAfter
    }
}
