import Builds
import CRDs
import GitHosts
import HTTP
import KubernetesClient
import KubernetesTypes
import MemoryCluster
import Testing

@testable import Operator

@Suite("What lets us in at a Git host")
struct GitCredentialSourceTests {
    private let namespace = "default"

    private func source(
        _ secret: [String: String]?, _ change: (inout GitHubSettings) -> Void = { _ in }
    ) async throws -> GitCredentialSource {
        let api = MemoryAPI()
        if let secret {
            var object = Secret(metadata: ObjectMeta(name: "git", namespace: namespace))
            object.data = secret.mapValues { Base64Bytes(Array($0.utf8)) }
            _ = try await api.create(object)
        }
        var settings = GitHubSettings()
        change(&settings)
        return GitCredentialSource(
            api: api, gitHub: settings, exchange: GitHostExchange(open: HTTPClient(), guarded: HTTPClient()))
    }

    private func access(
        _ url: String, _ provider: GitProvider = .git, secret: String? = "git", installation: Int64? = nil
    ) -> GitAccess {
        var spec = RepositorySpec(url: url)
        spec.provider = provider
        spec.credentialsSecret = secret
        spec.installationID = installation
        return GitAccess(Repository(metadata: ObjectMeta(name: "shop", namespace: namespace), spec: spec))
    }

    private func git(
        _ secret: [String: String]?, _ url: String = "https://git.example.com/a/b", _ provider: GitProvider = .git,
        name: String? = "git", installation: Int64? = nil
    ) async throws -> GitCredentials? {
        try await source(secret).gitCredentials(
            for: access(url, provider, secret: name, installation: installation),
            url: try GitURL(url, allowsPlainHTTP: false))
    }

    @Test("is read from the Secret in each of its forms")
    func forms() async throws {
        #expect(try await git(["token": "t0k\n"]) == .basic(username: "git", password: "t0k"))
        #expect(
            try await git(["token": "t"], "https://gitlab.com/a/b", .gitLab)
                == .basic(username: "oauth2", password: "t"))
        #expect(
            try await git(["token": "t"], "https://github.com/a/b", .gitHub)
                == .basic(username: "x-access-token", password: "t"))
        #expect(
            try await git(["username": "deploy", "password": "p"], "https://gitlab.com/a/b", .gitLab)
                == .basic(username: "deploy", password: "p"))
        #expect(
            try await git(["ssh-privatekey": "k", "known_hosts": "h"], "git@git.example.com:a/b")
                == .ssh(privateKey: "k", knownHosts: "h"))
        #expect(try await git(nil, name: nil) == nil)
    }

    @Test("that is not there is named with what to do")
    func missing() async throws {
        func reason(_ body: () async throws -> GitCredentials?) async -> RepositoryReason? {
            do {
                _ = try await body()
                return nil
            } catch {
                return (error as? BuildFailure)?.reason
            }
        }

        #expect(await reason { try await git(nil) } == .credentialsMissing)
        #expect(await reason { try await git(["username": "u"]) } == .credentialsMissing)
        #expect(await reason { try await git(["password": ""]) } == .credentialsMissing)
        #expect(await reason { try await git(["token": "t"], "git@git.example.com:a/b") } == .credentialsMissing)
        #expect(
            await reason { try await git(nil, "https://github.com/a/b", .gitHub, name: nil, installation: 5) }
                == .credentialsMissing)
    }

    @Test("of the App goes to the App's host only")
    func appElsewhere() async throws {
        let source = try await source(nil) {
            $0.app = SecretReference(namespace: "farebox-system", name: "app")
            $0.apiURL = "https://ghe.example.com/api/v3"
        }
        let access = access("https://evil.example.com/a/b", .gitHub, secret: nil, installation: 5)
        let url = try GitURL("https://evil.example.com/a/b", allowsPlainHTTP: false)

        let failure = await #expect(throws: BuildFailure.self) {
            try await source.gitCredentials(for: access, url: url)
        }
        let host = try await source.hostCredential(for: access)

        #expect(failure?.reason == .credentialsMissing)
        #expect(failure?.message.contains("https://ghe.example.com") == true)
        #expect(host == nil)
    }

    @Test("at the API is the token, the password or the installation, and never an SSH key")
    func hostCredentials() async throws {
        func credential(_ secret: [String: String]?, installation: Int64? = nil) async throws -> GitHostCredential? {
            let source = try await source(secret) {
                $0.app = SecretReference(namespace: "farebox-system", name: "app")
            }
            return try await source.hostCredential(
                for: access(
                    "https://github.com/a/b", .gitHub, secret: secret == nil ? nil : "git",
                    installation: installation))
        }

        #expect(try await credential(["token": "t", "password": "p"]) == .token("t"))
        #expect(try await credential(["username": "u", "password": "p"]) == .token("p"))
        #expect(try await credential(["ssh-privatekey": "k"]) == nil)
        #expect(try await credential(nil, installation: 5) == .installation(5))
        #expect(try await credential(nil) == nil)
    }
}
