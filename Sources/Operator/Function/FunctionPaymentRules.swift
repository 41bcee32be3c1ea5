/// What the cluster says about payment for calls, where it takes any.
public struct FunctionPaymentRules: Codable, Hashable, Sendable {
    /// Whether payment pointers may have a port and a numeric host: for trials.
    public var allowsPointerPorts: Bool

    /// Makes rules; by default those of the public Internet.
    public init(allowsPointerPorts: Bool = false) {
        self.allowsPointerPorts = allowsPointerPorts
    }
}
