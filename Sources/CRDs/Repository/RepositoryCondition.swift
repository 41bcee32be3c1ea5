/// The types of conditions that a Repository has.
public enum RepositoryCondition: String, CaseIterable, Sendable {
    /// The newest commit runs.
    case ready = "Ready"
    /// A commit is being dealt with; present only while true (kstatus).
    case reconciling = "Reconciling"
    /// Somebody has to act; present only while true (kstatus).
    case stalled = "Stalled"
    /// The commit was checked out.
    case sourceFetched = "SourceFetched"
    /// All images are built.
    case built = "Built"
    /// All functions run.
    case deployed = "Deployed"
    /// The sealed Secrets that the commit brings are in the cluster; present only when it brings some.
    case secretsApplied = "SecretsApplied"
    /// The Git host was told.
    case statusReported = "StatusReported"
}
