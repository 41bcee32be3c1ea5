/// The types of conditions that a Function has.
public enum FunctionCondition: String, CaseIterable, Sendable {
    /// The newest version runs, at full number.
    case ready = "Ready"
    /// A change is on its way; present only while true (kstatus).
    case reconciling = "Reconciling"
    /// Somebody has to act; present only while true (kstatus).
    case stalled = "Stalled"
    /// At least one replica takes calls, of whatever version.
    case available = "Available"
    /// The network policy stands as rendered.
    case networkPolicyApplied = "NetworkPolicyApplied"
    /// The replicas run in a sandbox.
    case sandboxed = "Sandboxed"
    /// A call is left that was paid for, or a bonus call; only where the Function has a price.
    case funded = "Funded"
    /// All domains of the Function's own lead to it; only where it has some.
    case domainsServed = "DomainsServed"
}
