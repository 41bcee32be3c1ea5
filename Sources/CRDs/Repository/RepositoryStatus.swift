public import KubernetesTypes

/// What was made of a repository.
public struct RepositoryStatus: Codable, Hashable, Sendable {
    /// The generation of the spec that this was computed from.
    public var observedGeneration: Int64?
    /// The commit that was last seen at the branch's head or asked for by a push.
    public var observedCommit: String?
    /// The commit whose functions all run.
    public var deployedCommit: String?
    /// How many functions the stack has.
    public var functionCount: Int32?
    /// The functions of the newest commit.
    @OmitEmpty public var functions: [RepositoryFunction]
    /// The last commits that were dealt with, newest first.
    @OmitEmpty public var history: [RepositoryRun]
    /// Images that nothing needs any more, until the registry has removed them.
    @OmitEmpty public var retiredImages: [String]
    /// Which push was acted on last: commit, time and delivery of its annotations, joined by spaces.
    public var lastHandledRequest: String?
    /// The value of the annotation `farebox.dev/reconcile-requested-at` that was last acted on.
    public var lastHandledReconcileAt: String?
    /// What the Git host was told: a short digest of each commit status, joined by `.`, in order.
    public var reportedDigest: String?
    /// `Ready`, `SourceFetched`, `Built`, `Deployed` and others.
    @OmitEmpty public var conditions: [Condition]

    /// Makes a status in which nothing is known.
    public init() {
        functions = []
        history = []
        retiredImages = []
        conditions = []
    }

    /// How many of ``retiredImages`` are remembered; the oldest beyond that stay in the registry.
    public static let retiredImagesMaximum = 200
    /// How many runs ``history`` keeps.
    public static let historyMaximum = 10

    enum CodingKeys: String, CodingKey, CaseIterable {
        case observedGeneration, observedCommit, deployedCommit, functionCount, functions, history, retiredImages
        case lastHandledRequest, lastHandledReconcileAt, reportedDigest, conditions
    }
}

/// One function of a repository.
public struct RepositoryFunction: Codable, Hashable, Sendable {
    /// The function's name in the stack file.
    public var name: String
    /// The Function object.
    public var objectName: String?
    /// The commit.
    public var commit: String?
    /// The image, pinned to its digest once built.
    public var image: String?
    /// The name with tag that the image is pushed under.
    public var imageTag: String?
    /// The images before that, newest first: what one can go back to.
    @OmitEmpty public var previousImages: [String]
    /// How far it is.
    public var state: RepositoryFunctionState
    /// Why, in one word.
    public var reason: String?
    /// What it means and what to do; after a failed build the last lines of its log.
    public var message: String?
    /// Where the build's log is.
    public var logURL: String?

    /// Makes an entry.
    public init(name: String, state: RepositoryFunctionState) {
        self.name = name
        self.state = state
        previousImages = []
    }

    /// The most of ``previousImages`` that a cluster can be told to keep.
    public static let previousImagesMaximum = 10
    /// The longest message in characters: enough for the last lines of a log, small beside an object's limit even with
    /// every function of a stack failing.
    public static let messageMaximum = 4096

    enum CodingKeys: String, CodingKey, CaseIterable {
        case name, objectName, commit, image, imageTag, previousImages, state, reason, message, logURL
    }
}

/// How far a function of a repository is.
public enum RepositoryFunctionState: String, Codable, CaseIterable, Hashable, Sendable {
    /// It waits for its turn.
    case pending = "Pending"
    /// Its image is being built.
    case building = "Building"
    /// Its image is there.
    case built = "Built"
    /// It is being rolled out.
    case deploying = "Deploying"
    /// It runs.
    case deployed = "Deployed"
    /// It failed; an older version may run.
    case failed = "Failed"
}

/// One commit that was dealt with.
public struct RepositoryRun: Codable, Hashable, Sendable {
    /// The commit.
    public var commit: String
    /// What became of it.
    public var result: RepositoryRunResult
    /// Why, in one word.
    public var reason: String?
    /// When work on it began.
    public var startedAt: Time?
    /// When it ended.
    public var finishedAt: Time?

    /// Makes an entry.
    public init(
        commit: String, result: RepositoryRunResult, reason: String? = nil, startedAt: Time? = nil,
        finishedAt: Time? = nil
    ) {
        self.commit = commit
        self.result = result
        self.reason = reason
        self.startedAt = startedAt
        self.finishedAt = finishedAt
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case commit, result, reason, startedAt, finishedAt
    }
}

/// What became of a commit.
public enum RepositoryRunResult: String, Codable, CaseIterable, Hashable, Sendable {
    /// All its functions run.
    case deployed = "Deployed"
    /// Something failed; the version before it stays.
    case failed = "Failed"
    /// A newer commit took its place.
    case superseded = "Superseded"
    /// Its message asks not to be built.
    case skipped = "Skipped"
}
