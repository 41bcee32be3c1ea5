import CRDs
import Cryptography
import FoundationEssentials
import HTTP
import JSON
import KubernetesTypes
import Testing

@testable import Webhook

@Suite("The template of Repositories")
struct RepositoryTemplateTests {
    @Test("A branch in the template holds fast; without one the default branch is followed")
    func branch() throws {
        let remote = RemoteRepository(urls: [], owner: "Alice", defaultBranch: "trunk")
        let key = ObjectKey(namespace: "n", name: "a")
        let url = "https://h/a/b"

        let pinned = try RepositoryTemplate(Array("spec: {branch: release}".utf8))
            .repository(for: remote, url: url, named: key, host: .gitHub)
        let free = RepositoryTemplate().repository(for: remote, url: url, named: key, host: .gitHub)

        #expect(pinned.spec.branch == "release" && !pinned.followsDefaultBranch)
        #expect(free.spec.branch == "trunk" && free.followsDefaultBranch)
    }

    @Test("A whole Repository without URL is a template")
    func whole() throws {
        let text = """
            apiVersion: farebox.dev/v1alpha1
            kind: Repository
            metadata:
              annotations: {contact: ops@example.com}
            spec:
              credentialsSecret: token
              branches:
              - {name: staging, nameSuffix: staging}
            """

        let template = try RepositoryTemplate(Array(text.utf8))

        #expect(template.spec.credentialsSecret == "token")
        #expect(template.spec.branches.map(\.name) == ["staging"])
        #expect(template.annotations == ["contact": "ops@example.com"])
    }

    @Test(
        "What is misspelt or not its business is refused",
        arguments: [
            "spec: {intervall: 10m}", "spec: {url: 'https://h/a/b'}", "spec: 7", "spec: [1]", "sepc: {}",
            "spec: {interval: {}}",
            "metadata: {name: a}", "metadata: {annotations: {farebox.dev/owner: bob}}", "- a", "{",
            "spec: {branch: [a]}",
        ])
    func refused(text: String) {
        #expect(throws: RepositoryTemplate.Refusal.self) { try RepositoryTemplate(Array(text.utf8)) }
    }

    @Test("An empty file and one that is not there add nothing")
    func nothing() throws {
        #expect(try RepositoryTemplate.file("/nowhere") == RepositoryTemplate())
        #expect(try RepositoryTemplate(Array("{}".utf8)) == RepositoryTemplate())
    }
}

@Suite("The default branch of a repository")
struct RemoteHeadTests {
    /// As `git upload-pack --http-backend-info-refs` begins.
    static let answer =
        "001e# service=git-upload-pack\n0000015547ec0e5d90d8c8f0a2ad1e2b5e9fb0ef0c4f9ed1 HEAD\0multi_ack thin-pack side-band "
        + "side-band-64k ofs-delta shallow deepen-since symref=HEAD:refs/heads/feature/trunk object-format=sha1 "
        + "agent=git/2.39.5\n003d47ec0e5d90d8c8f0a2ad1e2b5e9fb0ef0c4f9ed1 refs/heads/feature/trunk\n0000"

    @Test("It stands among the capabilities, and only as a whole")
    func parsed() {
        let bytes = Array(Self.answer.utf8)

        #expect(SmartHTTPHead.branch(in: bytes) == "feature/trunk")
        for length in 0..<bytes.count {
            let branch = SmartHTTPHead.branch(in: Array(bytes[..<length]))
            #expect(branch == nil || branch == "feature/trunk")
        }
    }

    @Test(
        "An answer without it tells none",
        arguments: ["", "0000", "\0", "\0symref=HEAD:refs/heads/", "\0symref=HEAD:refs/heads/ x\n"])
    func absent(answer: String) {
        #expect(SmartHTTPHead.branch(in: Array(answer.utf8)) == nil)
    }

    @Test("A host is asked over HTTP; a private repository and a host that is away tell none")
    func asked() async throws {
        // Limits that a host on a busy machine does not reach.
        let head = SmartHTTPHead(client: HTTPClient(), timeout: .seconds(60))
        let end = ContinuousClock.now + .seconds(300)
        try await CustomerTests.serve { request in
            request.target == "/a/b.git/info/refs?service=git-upload-pack"
                ? .text(.ok, Self.answer) : .text(.unauthorized, "no")
        } _: { base in
            #expect(await head.defaultBranch(of: base + "/a/b.git", until: end) == "feature/trunk")
            #expect(await head.defaultBranch(of: base + "/a/private.git", until: end) == nil)
            #expect(await head.defaultBranch(of: base + "/a/b.git", until: .now - .seconds(1)) == nil)
        }
        #expect(await head.defaultBranch(of: "http://127.0.0.1:1/a/b.git", until: end) == nil)
    }
}

@Suite("GitLab's projects")
struct GitLabProjectsTests {
    @Test("A project is asked for with the token, and remembered until an event says that it changed")
    func asked() async throws {
        let folder = "/tmp/farebox-gitlab-\(UInt64.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data("t0ken\n".utf8).write(to: URL(filePath: folder))
        let counter = DeliveryLog()
        try await CustomerTests.serve { request in
            guard request.headers["PRIVATE-TOKEN"] == "t0ken" else { return .text(.unauthorized, "no") }
            let isSecond = counter.contains(request.path)
            counter.insert(request.path)
            switch request.path {
            case "/api/v4/projects/15":
                return .json(
                    .ok,
                    [
                        "id": 15, "topics": isSecond ? ["docs"] : ["Farebox"], "default_branch": "trunk",
                        "http_url_to_repo": "https://h/a/b.git", "owner": .null,
                    ])
            case "/api/v4/projects/16": return .json(.ok, ["tag_list": ["farebox"]])
            case "/api/v4/projects/17": return .text(.ok, "no JSON")
            case "/api/v4/projects/18": return .text(.internalServerError, "")
            default: return .json(.notFound, ["message": "404 Project Not Found"])
            }
        } _: { base in
            let projects = GitLabProjects(
                client: HTTPClient(), apiURL: base + "/api/v4", tokenPath: folder, timeout: .seconds(60))
            let first = try await projects.project(15, isChanged: false)
            #expect(first?.bears("farebox") == true)
            #expect(try await projects.project(15, isChanged: false) == first)
            #expect(try await projects.project(15, isChanged: true)?.bears("farebox") == false)
            #expect(try await projects.project(16, isChanged: false)?.bears("farebox") == true)
            #expect(try await projects.project(404, isChanged: false) == nil)
            for number in [17, 18] as [Int64] {
                await #expect(throws: ProjectTopicsError.self) { try await projects.project(number, isChanged: false) }
            }
            let tokenless = GitLabProjects(client: HTTPClient(), apiURL: base, tokenPath: "/nowhere")
            await #expect(throws: ProjectTopicsError.self) { try await tokenless.project(15, isChanged: false) }
        }
    }
}

@Suite("The secrets of the Git hosts")
struct MountedSecretsTests {
    @Test("Each host has two files, read without the white space around them")
    func files() throws {
        let folder = "/tmp/farebox-secrets-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, text) in [("github", " one\n"), ("github-next", "two"), ("gitlab", "\n"), ("gitea-next", "three")] {
            try Data(text.utf8).write(to: URL(filePath: folder + "/" + name))
        }

        let secrets = MountedSecrets(folder: folder)

        #expect(secrets.current(for: .gitHub) == [Array("one".utf8), Array("two".utf8)])
        #expect(secrets.current(for: .gitLab).isEmpty)
        #expect(secrets.current(for: .gitea) == [Array("three".utf8)])
        #expect(secrets.current(for: .git).isEmpty)
    }
}

@Suite("The webhook's configuration")
struct WebhookConfigurationTests {
    @Test("Addresses must be of http, and the API's is derived from GitLab's")
    func addresses() {
        var configuration = WebhookConfiguration()
        #expect(configuration.validate().isEmpty)
        #expect(configuration.gitLab.api == nil)
        configuration.gitLab.url = "https://gitlab.example.com/"
        #expect(configuration.gitLab.api == "https://gitlab.example.com/api/v4")
        configuration.gitLab.apiURL = "http://10.0.0.1:8080/api/v4/"
        #expect(configuration.gitLab.api == "http://10.0.0.1:8080/api/v4")
        configuration.customers.url = "file:///etc/passwd"
        configuration.gitLab.topic = ""

        let problems = configuration.validate()

        #expect(problems.count == 2)
    }
}
