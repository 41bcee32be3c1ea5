import Builds
import CRDs
import GitHosts

/// Finds the API of a Repository's Git host.
///
/// The administrator's address counts for the host that it belongs to; any other host's API is where hosts of its kind
/// have it. So a token is never sent to another host than the one that the Repository names, or the administrator.
struct StatusPlaces: Sendable {
    let gitHub: GitHubSettings
    let gitLab: GitLabSettings
    let settings: StatusSettings
    let allowsPlainHTTP: Bool

    /// Where all commits of one Repository are told of.
    struct Place: Sendable, Hashable {
        let form: StatusPlace.Form
        let apiURL: String
        let project: String
        let isTrusted: Bool

        func at(_ commit: String) -> StatusPlace {
            StatusPlace(form: form, apiURL: apiURL, project: project, commit: commit, isTrusted: isTrusted)
        }
    }

    /// Returns the place; nil when the host has no API that we know, or nothing lets us in.
    func place(of repository: Repository) -> Place? {
        let spec = repository.spec
        guard settings.areReported, spec.credentialsSecret != nil || spec.installationID != nil,
            let url = try? GitURL(spec.url, allowsPlainHTTP: allowsPlainHTTP)
        else { return nil }
        let path = url.path.dropFirst()
        let project = String(path.hasSuffix(".git") ? path.dropLast(4) : path)
        switch spec.provider ?? .git {
        case .git: return nil
        case .gitHub:
            guard project.split(separator: "/").count == 2 else { return nil }
            let isApp = spec.installationID != nil && spec.credentialsSecret == nil && gitHub.app != nil
            let form = isApp && gitHub.usesChecks ? StatusPlace.Form.gitHubCheck(appID: gitHub.appID) : .gitHubStatus
            if Self.isHost(gitHub.origin, of: url) {
                return Place(
                    form: form, apiURL: GitHostURL.trimmed(gitHub.apiURL), project: project, isTrusted: true)
            }
            // The App's tokens are of no use elsewhere.
            guard spec.credentialsSecret != nil else { return nil }
            let apiURL = Self.page(url) == "https://github.com" ? "https://api.github.com" : Self.page(url) + "/api/v3"
            return Place(form: .gitHubStatus, apiURL: apiURL, project: project, isTrusted: false)
        case .gitLab:
            let name = spec.projectID.map { String($0) } ?? project
            if let apiURL = gitLab.apiURL, Self.isHost(GitHostURL.origin(of: apiURL), of: url) {
                return Place(form: .gitLab, apiURL: GitHostURL.trimmed(apiURL), project: name, isTrusted: true)
            }
            return Place(form: .gitLab, apiURL: Self.page(url) + "/api/v4", project: name, isTrusted: false)
        case .gitea:
            guard project.split(separator: "/").count == 2 else { return nil }
            return Place(form: .gitea, apiURL: Self.page(url) + "/api/v1", project: project, isTrusted: false)
        }
    }

    /// Scheme, host and port of the host's web pages; those of an SSH address are on https.
    private static func page(_ url: GitURL) -> String { url.scheme == "ssh" ? "https://" + url.host : url.origin }

    /// Whether an address is on the host with this origin; over SSH the port may differ.
    static func isHost(_ origin: String, of url: GitURL) -> Bool {
        if url.scheme != "ssh" { return url.origin == origin }
        guard let other = try? GitURL(origin + "/x", allowsPlainHTTP: true) else { return false }
        return other.host == url.host
    }
}
