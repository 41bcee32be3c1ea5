public import KubernetesTypes

/// Where a repository is, and what to make of it.
public struct RepositorySpec: Codable, Hashable, Sendable {
    /// The clone URL: https, http or ssh, or `user@host:path`.
    public var url: String
    /// The kind of Git host.
    public var provider: GitProvider?
    /// The branch that is built.
    public var branch: String?
    /// Further branches that are built, each into an environment of its own.
    @OmitEmpty public var branches: [RepositoryBranch]
    /// What is added to the names of the functions.
    public var nameSuffix: String?
    /// The path of the stack file.
    public var stackFile: String?
    /// The Secret with the Git host's credentials.
    public var credentialsSecret: String?
    /// The installation of the GitHub App.
    public var installationID: Int64?
    /// The number of the project on GitLab.
    public var projectID: Int64?
    /// How often the branch is looked at.
    public var interval: String?
    /// Whether nothing is built and deployed for now.
    public var suspend: Bool?
    /// How images are built.
    public var build: RepositoryBuild?
    /// What calls of the repository's functions cost unless they say otherwise.
    public var payment: FunctionPayment?

    /// Makes a specification with a URL and nothing else.
    public init(url: String) {
        self.url = url
        branches = []
    }

    /// The branch when ``branch`` is absent.
    public static let branchDefault = "main"
    /// The spelling of ``interval`` when it is absent.
    public static let intervalDefault = "5m"

    enum CodingKeys: String, CodingKey, CaseIterable {
        case url, provider, branch, branches, nameSuffix, stackFile, credentialsSecret, installationID, projectID
        case interval, suspend, build, payment
    }
}

/// A further branch, and what tells its functions from those of other branches.
public struct RepositoryBranch: Codable, Hashable, Sendable {
    /// The branch.
    public var name: String
    /// What is added to the names of its functions.
    public var nameSuffix: String

    /// Makes a branch.
    public init(name: String, nameSuffix: String) {
        self.name = name
        self.nameSuffix = nameSuffix
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case name, nameSuffix
    }
}

/// The kinds of Git hosts.
public enum GitProvider: String, Codable, CaseIterable, Hashable, Sendable {
    /// github.com or GitHub Enterprise.
    case gitHub = "GitHub"
    /// gitlab.com or a GitLab of one's own.
    case gitLab = "GitLab"
    /// Gitea or Forgejo.
    case gitea = "Gitea"
    /// Any server that speaks Git, over HTTP or SSH.
    case git = "Git"
}

/// How images are built.
public struct RepositoryBuild: Codable, Hashable, Sendable {
    /// The platforms of the images.
    @OmitEmpty public var platforms: [String]
    /// Arguments for the Dockerfiles.
    @OmitEmpty public var args: [String: String]
    /// How long one build may take.
    public var timeout: String?

    /// Makes build settings.
    public init(platforms: [String] = [], args: [String: String] = [:], timeout: String? = nil) {
        self.platforms = platforms
        self.args = args
        self.timeout = timeout
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case platforms, args, timeout
    }
}
