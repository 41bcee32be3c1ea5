import CRDs
import GitHosts
import KubernetesTypes
import Testing

@testable import Operator

@Suite("The API of a Git host")
struct StatusPlacesTests {
    private func place(
        _ url: String, _ provider: GitProvider, secret: String? = "git", installation: Int64? = nil,
        project: Int64? = nil, _ change: (inout RepositoryClusterConfiguration) -> Void = { _ in }
    ) -> StatusPlaces.Place? {
        var configuration = RepositoryClusterConfiguration()
        change(&configuration)
        var spec = RepositorySpec(url: url)
        spec.provider = provider
        spec.credentialsSecret = secret
        spec.installationID = installation
        spec.projectID = project
        return StatusPlaces(
            gitHub: configuration.gitHub, gitLab: configuration.gitLab, settings: configuration.statuses,
            allowsPlainHTTP: true
        ).place(of: Repository(metadata: ObjectMeta(name: "shop", namespace: "default"), spec: spec))
    }

    private func withApp(_ configuration: inout RepositoryClusterConfiguration) {
        configuration.gitHub.app = SecretReference(namespace: "farebox-system", name: "app")
        configuration.gitHub.appID = "7"
    }

    @Test(
        "is found from the repository's address",
        arguments: [
            ("https://github.com/Alice/Shop.git", GitProvider.gitHub, "https://api.github.com", "Alice/Shop"),
            ("git@github.com:alice/shop.git", .gitHub, "https://api.github.com", "alice/shop"),
            ("https://ghe.example.com/alice/shop", .gitHub, "https://ghe.example.com/api/v3", "alice/shop"),
            ("https://gitlab.com/a/b/shop.git", .gitLab, "https://gitlab.com/api/v4", "a/b/shop"),
            ("http://10.0.0.1:3000/a/shop", .gitLab, "http://10.0.0.1:3000/api/v4", "a/shop"),
            ("ssh://git@gitlab.example.com:2222/a/shop", .gitLab, "https://gitlab.example.com/api/v4", "a/shop"),
            ("https://codeberg.org/alice/shop", .gitea, "https://codeberg.org/api/v1", "alice/shop"),
        ])
    func derived(url: String, provider: GitProvider, apiURL: String, project: String) {
        let place = place(url, provider)

        #expect(place?.apiURL == apiURL)
        #expect(place?.project == project)
        #expect(place?.isTrusted == (apiURL == "https://api.github.com"))
    }

    @Test("is not there without a token, for plain Git, and when statuses are switched off")
    func none() {
        #expect(place("https://github.com/a/b", .gitHub, secret: nil) == nil)
        #expect(place("https://github.com/a/b", .git) == nil)
        #expect(place("https://github.com/a/b/c", .gitHub) == nil)
        #expect(place("https://github.com/a/b", .gitHub) { $0.statuses.areReported = false } == nil)
        #expect(place("no url", .gitHub) == nil)
        #expect(place("https://other.example.com/a/b", .gitHub, secret: nil, installation: 5, withApp) == nil)
    }

    @Test("takes check runs of the App's installations, and commit statuses of everybody else")
    func forms() {
        #expect(
            place("https://github.com/a/b", .gitHub, secret: nil, installation: 5, withApp)?.form
                == .gitHubCheck(appID: "7"))
        #expect(place("https://github.com/a/b", .gitHub, installation: 5, withApp)?.form == .gitHubStatus)
        #expect(
            place("https://github.com/a/b", .gitHub, secret: nil, installation: 5) {
                withApp(&$0)
                $0.gitHub.usesChecks = false
            }?.form == .gitHubStatus)
    }

    @Test("is the administrator's for the administrator's host, and no other host's")
    func configured() {
        func change(_ configuration: inout RepositoryClusterConfiguration) {
            configuration.gitHub.apiURL = "https://GHE.example.com/api/v3/"
            configuration.gitLab.apiURL = "https://gitlab.example.com/sub/api/v4"
        }

        let gitHub = place("https://ghe.example.com/a/b", .gitHub, change)
        let otherGitHub = place("https://github.com/a/b", .gitHub, change)
        let gitLab = place("https://gitlab.example.com/a/b", .gitLab, project: 42, change)
        let otherGitLab = place("https://gitlab.com/a/b", .gitLab, change)

        #expect(gitHub?.apiURL == "https://GHE.example.com/api/v3" && gitHub?.isTrusted == true)
        #expect(otherGitHub?.apiURL == "https://api.github.com" && otherGitHub?.isTrusted == false)
        #expect(gitLab?.apiURL == "https://gitlab.example.com/sub/api/v4" && gitLab?.project == "42")
        #expect(otherGitLab?.apiURL == "https://gitlab.com/api/v4")
    }

    @Test(
        "must be an address without user and query",
        arguments: [
            ("https://api.github.com", true), ("http://10.0.0.1:8930/api/v3", true), ("ftp://x/api", false),
            ("https://user@ghe/api/v3", false), ("https://ghe/api?x", false), ("https://", false), ("", false),
        ])
    func validation(url: String, isSound: Bool) {
        var configuration = RepositoryClusterConfiguration()
        configuration.gitHub.apiURL = url

        #expect(!configuration.validate().contains { $0.hasPrefix("gitHub.apiURL") } == isSound)
    }
}
