/// Why a Function is in its state: the fixed list of words that its conditions use.
///
/// Programs match on these; the message beside each says what to do.
public enum FunctionReason: String, CaseIterable, Sendable {
    // MARK: Nothing to do.

    /// All replicas of the newest version take calls.
    case available = "Available"
    /// No replica is wanted.
    case scaledToZero = "ScaledToZero"
    /// `spec.suspend` is set.
    case suspended = "Suspended"
    /// The network policy stands.
    case applied = "Applied"
    /// All domains lead to the Function.
    case served = "Served"
    /// The pods run in a RuntimeClass.
    case runtimeClass = "RuntimeClass"
    /// The balance pays for calls.
    case funded = "Funded"
    /// Nothing is paid ahead, and bonus calls are left.
    case bonusCalls = "BonusCalls"

    // MARK: Wait.

    /// Nothing was looked at yet.
    case pending = "Pending"
    /// New replicas start.
    case rollingOut = "RollingOut"
    /// The Function is being deleted.
    case terminating = "Terminating"

    /// No call is left that was paid for: somebody has to pay.
    case noCallsLeft = "NoCallsLeft"

    // MARK: Change the Function.

    /// A field has a value that cannot work.
    case invalid = "Invalid"
    /// A field is set that this version of Farebox does not act on yet.
    case notSupportedYet = "NotSupportedYet"
    /// An object that the Function needs exists and belongs to somebody else.
    case nameTaken = "NameTaken"
    /// The administrator has not said that the Function may have the domain.
    case domainNotAllowed = "DomainNotAllowed"
    /// The DNS record that shows that the domain is the Function's is missing.
    case domainNotProven = "DomainNotProven"
    /// An older Function has the domain.
    case domainTaken = "DomainTaken"
    /// The RuntimeClass is not among those the administrator lets functions choose.
    case runtimeClassNotAllowed = "RuntimeClassNotAllowed"
    /// The price is in another asset than the host's wallet counts in.
    case assetNotAccepted = "AssetNotAccepted"
    /// The tag does not lead to a digest.
    case imageUnresolvable = "ImageUnresolvable"
    /// A node cannot pull the image.
    case imagePullFailed = "ImagePullFailed"
    /// The program ends again and again.
    case crashLoop = "CrashLoop"
    /// The program used more memory than its limit.
    case outOfMemory = "OutOfMemory"
    /// The program runs and does not answer its health check.
    case probeFailing = "ProbeFailing"
    /// The kubelet cannot make the container.
    case containerConfigError = "ContainerConfigError"

    // MARK: Change the cluster.

    /// The Function demands payment, and this cluster takes none.
    case paymentsNotConfigured = "PaymentsNotConfigured"
    /// The RuntimeClass does not exist.
    case runtimeClassMissing = "RuntimeClassMissing"
    /// Neither the Function nor the cluster names a RuntimeClass.
    case runtimeClassUnset = "RuntimeClassUnset"
    /// The administrator lets functions run without a sandbox.
    case unsandboxed = "Unsandboxed"
    /// A Secret that the Function names does not exist.
    case secretMissing = "SecretMissing"
    /// A Secret that the Function names is not its owner's.
    case secretNotOwned = "SecretNotOwned"
    /// The namespace's ResourceQuota is used up.
    case quotaExceeded = "QuotaExceeded"
    /// The API server refuses the pods for another reason.
    case podsRefused = "PodsRefused"
    /// No node has room.
    case unschedulable = "Unschedulable"
    /// A node ended a replica, for lack of disk or memory.
    case evicted = "Evicted"
    /// The API server refuses something that Farebox renders.
    case applyRefused = "ApplyRefused"
    /// The rollout makes no progress and nothing says why.
    case progressDeadlineExceeded = "ProgressDeadlineExceeded"
}
