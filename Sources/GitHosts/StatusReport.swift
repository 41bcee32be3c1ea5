/// What a Git host shows beside a commit: one line, and perhaps more behind it, for one context.
///
/// A later report of the same context on the same commit takes the place of the earlier one.
public struct StatusReport: Sendable, Hashable {
    /// Who speaks: `stack-deploy` for the repository, a function's name for that function.
    public var context: String
    /// How it stands.
    public var state: StatusState
    /// One line; each host cuts it to what it takes.
    public var description: String
    /// Where a click leads; nil leads nowhere.
    public var targetURL: String?
    /// More than a line, such as a build's log: shown where the host has room for it.
    ///
    /// It must hold no secret: it is sent as it is.
    public var text: String?

    /// Makes a report.
    public init(
        context: String, state: StatusState, description: String, targetURL: String? = nil, text: String? = nil
    ) {
        self.context = context
        self.state = state
        self.description = description
        self.targetURL = targetURL
        self.text = text
    }

    /// The context that speaks for a whole repository.
    public static let stackContext = "stack-deploy"

    /// The context that speaks for a whole repository, deployed as the environment `suffix`.
    public static func stackContext(suffix: String?) -> String {
        suffix.map { stackContext + "-" + $0 } ?? stackContext
    }

    /// Whether the report speaks for a whole repository.
    public var isOfStack: Bool { context == Self.stackContext || context.hasPrefix(Self.stackContext + "-") }
}

/// How a context of a commit stands.
public enum StatusState: String, Sendable, Hashable, CaseIterable {
    /// It is not decided yet.
    case pending
    /// All is well.
    case success
    /// It did not work, and the author can change that.
    case failure
    /// It did not work for another reason.
    case error
    /// A newer commit took its place.
    case cancelled
    /// Nothing was to be done.
    case skipped

    /// Whether nothing more is to come.
    public var isFinal: Bool { self != .pending }
}

/// Which commit of which repository on which host a report is about.
public struct StatusPlace: Sendable, Hashable {
    /// How the host takes reports.
    public enum Form: Sendable, Hashable {
        /// GitHub's commit statuses, for any token that may write them.
        case gitHubStatus
        /// GitHub's check runs, which only an App may write; its number finds its own runs.
        case gitHubCheck(appID: String)
        /// GitLab's commit statuses.
        case gitLab
        /// The commit statuses of Gitea and Forgejo.
        case gitea
    }

    /// How the host takes reports.
    public var form: Form
    /// Where its API begins, without a slash at the end: `https://api.github.com`, `https://gitlab.com/api/v4`.
    public var apiURL: String
    /// `owner/repository`; on GitLab the whole path or the project's number.
    public var project: String
    /// The full name of the commit.
    public var commit: String
    /// Whether the administrator named the API's address, so that it may be a private one.
    public var isTrusted: Bool

    /// Makes a place.
    public init(form: Form, apiURL: String, project: String, commit: String, isTrusted: Bool = false) {
        self.form = form
        self.apiURL = apiURL
        self.project = project
        self.commit = commit
        self.isTrusted = isTrusted
    }
}

/// What a Git host's API lets us in with.
///
/// It has no description: interpolating it into a message shows nothing.
public enum GitHostCredential: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    /// A token of somebody's.
    case token(String)
    /// An installation of the GitHub App.
    case installation(Int64)

    /// Never the token.
    public var description: String { "(credential)" }
    /// Shows nothing.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
