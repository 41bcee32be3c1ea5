/// Why a Repository, or one of its functions, is in its state: the fixed list of words that conditions use.
///
/// Programs match on these; the message beside each says what to do.
public enum RepositoryReason: String, CaseIterable, Sendable {
    // MARK: Nothing to do.

    /// The newest commit runs.
    case deployed = "Deployed"
    /// This step is done.
    case succeeded = "Succeeded"
    /// The commit's message asks not to be built.
    case skipped = "Skipped"
    /// `spec.suspend` is set.
    case suspended = "Suspended"
    /// A newer commit took the place.
    case superseded = "Superseded"

    // MARK: Wait.

    /// Nothing was looked at yet.
    case pending = "Pending"
    /// As many builds run as are allowed at once; it has its turn.
    case queued = "Queued"
    /// The commit is being checked out.
    case fetching = "Fetching"
    /// Images are being built.
    case building = "Building"
    /// Functions are being rolled out.
    case deploying = "Deploying"
    /// The Repository is being deleted.
    case terminating = "Terminating"

    // MARK: Change the Repository or its secrets.

    /// A field has a value that cannot work.
    case invalid = "Invalid"
    /// A field is set that this version of Farebox does not act on yet.
    case notSupportedYet = "NotSupportedYet"
    /// The Secret of `spec.credentialsSecret` does not exist or lacks a key.
    case credentialsMissing = "CredentialsMissing"
    /// The Git host refuses the credentials, or demands some.
    case gitAuthFailed = "GitAuthFailed"
    /// The Git host does not know the repository.
    case gitRepositoryNotFound = "GitRepositoryNotFound"
    /// The branch does not exist.
    case gitBranchNotFound = "GitBranchNotFound"
    /// The commit does not exist (any more).
    case gitRevisionNotFound = "GitRevisionNotFound"
    /// The Git host does not answer, or answers nonsense.
    case gitUnreachable = "GitUnreachable"
    /// The URL leads to an address that is not allowed.
    case gitAddressRefused = "GitAddressRefused"
    /// Git failed in a way that has no name of its own; the message has its last line.
    case gitFailed = "GitFailed"
    /// The repository is larger, or has more files, than allowed.
    case sourceTooLarge = "SourceTooLarge"

    /// The Git host does not take commit statuses: the token may not write them, or the commit is gone there.
    case gitHostRefused = "GitHostRefused"
    /// The Git host's API does not answer, or asks for patience; it is tried again.
    case gitHostUnreachable = "GitHostUnreachable"

    // MARK: Change the code.

    /// The repository has no stack file.
    case stackMissing = "StackMissing"
    /// The stack file cannot be used.
    case stackInvalid = "StackInvalid"
    /// A function names a runtime that is not known.
    case runtimeUnknown = "RuntimeUnknown"
    /// A function's folder has no Dockerfile.
    case dockerfileMissing = "DockerfileMissing"
    /// A function's folder is larger than allowed, or leads out of the repository.
    case contextInvalid = "ContextInvalid"
    /// A function's folder is larger than allowed.
    case contextTooLarge = "ContextTooLarge"
    /// A step of the build failed.
    case stepFailed = "StepFailed"
    /// A step of the build used more memory than allowed.
    case outOfMemory = "OutOfMemory"
    /// The build took longer than allowed.
    case timeout = "Timeout"

    // MARK: Change the cluster.

    /// The builder could not fetch the context.
    case contextFetchFailed = "ContextFetchFailed"
    /// The artifact store does not answer.
    case artifactStoreUnavailable = "ArtifactStoreUnavailable"
    /// The registry refuses the credentials.
    case registryAuthFailed = "RegistryAuthFailed"
    /// The registry does not answer, or refuses the image.
    case pushFailed = "PushFailed"
    /// The registry cannot be reached, or answers with faults of its own.
    case registryUnreachable = "RegistryUnreachable"
    /// The build pod was evicted or its node went away; it is tried again.
    case evicted = "Evicted"
    /// The repository brings sealed Secrets, and the cluster cannot open any.
    case sealedSecretsUnavailable = "SealedSecretsUnavailable"
    /// A source of runtimes cannot be read, and what the commit names may be one of its.
    case runtimeUnavailable = "RuntimeUnavailable"
    /// The builder did not start, or ended for no reason of the author's.
    case builderFailed = "BuilderFailed"
    /// A quota is used up.
    case quotaExceeded = "QuotaExceeded"
    /// A Function of this name belongs to somebody else.
    case nameTaken = "NameTaken"
    /// A Function of the commit does not become ready.
    case functionNotReady = "FunctionNotReady"
}
