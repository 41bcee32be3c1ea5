import Builds
import CRDs
import KubernetesTypes
import Timing

/// Which source of which Repository is wanted: everything that decides what comes out.
struct SourceRequest: Hashable, Sendable {
    let repository: ObjectKey
    let uid: String
    let url: String
    let branch: String
    let commit: String
    let stackFile: String?
    let access: GitAccess
    let owner: OwnerName
    let buildArguments: [String: String]
    /// Whether the commit is left alone when its message asks for that: it was found at the branch's head, and no event
    /// asked for it, whose sender would have looked at the message already.
    let honoursMessage: Bool
    /// The push or the manual request that asks for it: the same commit asked for again is fetched again.
    let occasion: String

    init(_ repository: Repository, commit: String) {
        self.repository = repository.key
        uid = repository.metadata.uid
        url = repository.spec.url
        branch = repository.branch
        self.commit = commit
        stackFile = repository.spec.stackFile
        access = GitAccess(repository)
        owner = repository.owner
        buildArguments = repository.spec.build?.args ?? [:]
        honoursMessage = repository.requestedCommit != commit
        occasion = [repository.requestMark, repository.reconcileMark].compactMap { $0 }.joined(separator: " ")
    }
}

/// A commit, taken apart: its functions, each with its stored context or the reason why it has none.
struct PreparedSource: Sendable {
    let functions: [PreparedFunction]
    /// What the stack file sets in vain.
    let ignored: [String]
    /// Whether the commit's message asks not to be built; then there are no functions.
    var isSkipped = false
    /// The sealed Secrets that the commit brings.
    var secrets: [SealedSecret] = []
}

/// One function of a commit, ready to be built.
struct PreparedFunction: Sendable {
    let stack: StackFunction
    let image: ImageReference
    /// The context in the artifact store; nil when the image is there already and nothing is built.
    let context: Result<BuildContext, BuildFailure>?
}

extension Repository {
    /// What a function of the stack is called.
    func identity(ofFunction name: String) -> FunctionIdentity {
        FunctionIdentity(owner: owner, function: spec.nameSuffix.map { name + "-" + $0 } ?? name)
    }

    /// The branch that is built.
    var branch: String { spec.branch ?? RepositorySpec.branchDefault }

    /// The commit that the last push asked for.
    var requestedCommit: String? {
        metadata.annotations[FareboxAnnotation.requestedCommit].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The commits of the last pushes that were told of, newest first.
    var pushedCommits: [String] {
        (metadata.annotations[FareboxAnnotation.pushes] ?? "").split(separator: "\n").compactMap { line in
            line.split(separator: " ").first.map(String.init).flatMap { GitRevision.isCommit($0) ? $0 : nil }
        }
    }

    /// When that was: from the annotation of the push, else from the object's beginning.
    var requestedAt: Time {
        metadata.annotations[FareboxAnnotation.requestedAt].flatMap { Timestamp(rfc3339: $0) }.map { Time($0) }
            ?? metadata.creationTimestamp ?? Time(.earliest)
    }

    /// Tells one push from another; nil when there was none.
    var requestMark: String? {
        guard let commit = requestedCommit else { return nil }
        let parts = [FareboxAnnotation.requestedAt, FareboxAnnotation.delivery].map { metadata.annotations[$0] ?? "-" }
        return String(([commit] + parts).joined(separator: " ").prefix(1024))
    }

    /// Tells one manual request from another; nil when there was none.
    var reconcileMark: String? {
        metadata.annotations[FareboxAnnotation.reconcileRequestedAt].map { String($0.prefix(1024)) }
    }
}
