public import CRDs

/// A failure that the owner of a repository gets to see: a reason for programs and a message for people.
///
/// The message says what happened and what to do, and never holds a secret.
public struct BuildFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// One of the fixed list that conditions, events and metrics use.
    public let reason: RepositoryReason
    /// At most some lines.
    public let message: String

    /// Makes a failure.
    public init(_ reason: RepositoryReason, _ message: String) {
        self.reason = reason
        self.message = message
    }

    /// Reason and message on one line.
    public var description: String { reason.rawValue + ": " + message }
}

extension RepositoryReason {
    /// Whether the cause may go away without a new commit, so that trying the same again makes sense.
    public var isTransient: Bool {
        switch self {
        case .gitUnreachable, .gitFailed, .gitAuthFailed, .gitRepositoryNotFound, .credentialsMissing,
            .artifactStoreUnavailable, .builderFailed, .contextFetchFailed, .evicted, .quotaExceeded,
            .registryAuthFailed, .registryUnreachable, .pushFailed, .sealedSecretsUnavailable, .runtimeUnavailable:
            true
        default: false
        }
    }
}
