import CRDs

/// The kinds of Git hosts whose deliveries are taken: each has a path, and secrets of that name.
enum GitHostKind: String, CaseIterable, Sendable {
    /// github.com or GitHub Enterprise: an App or a webhook of one repository.
    case gitHub = "github"
    /// GitLab: system hooks or hooks of one project.
    case gitLab = "gitlab"
    /// Gitea and Forgejo.
    case gitea
    /// Anything that can send a signed request after a push.
    case git

    /// Where its deliveries are posted to.
    var path: String { "/" + rawValue }

    /// What a Repository made for it names in `spec.provider`.
    var provider: GitProvider {
        switch self {
        case .gitHub: .gitHub
        case .gitLab: .gitLab
        case .gitea: .gitea
        case .git: .git
        }
    }
}
