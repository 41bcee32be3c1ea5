import HTTP
import Testing
import Timing

@testable import Webhook

@Suite("Events of GitHub")
struct GitHubDialectTests {
    static let dialect = GitHubDialect(url: "https://ghe.example.com/", signature: HubSignature(acceptsSHA1: false))
    static let world = "https://github.com/Alice/Hello-World"

    static func event(_ name: String, _ body: [UInt8]) throws -> GitEvent {
        try dialect.event(RawDelivery(headers: HTTPHeaders([("X-GitHub-Event", name)]), body: body))
    }

    static func event(_ sample: String) throws -> GitEvent {
        let sample = Sample(host: .gitHub, name: sample)
        return try event(sample.event, try sample.bytes())
    }

    static func push(_ sample: String) throws -> Push? {
        if case .push(let push) = try event(sample) { push } else { nil }
    }

    @Test("A push names its repository, branch, commit, what it follows and when it was pushed")
    func push() throws {
        let push = try #require(try Self.push("push"))

        #expect(push.branch == "main")
        #expect(push.change == .commit(Desk.commit))
        #expect(push.before == Desk.before)
        #expect(push.message == "Say hello")
        #expect(push.pushedAt == Timestamp(secondsSinceEpoch: 1_557_933_657))
        #expect(push.repository.cloneURL == Self.world + ".git")
        #expect(push.repository.owner == "Alice")
        #expect(push.repository.defaultBranch == "main")
        #expect(push.repository.installationID == 4242)
    }

    @Test(
        "A branch's name is all that follows refs/heads/, and a tag is no branch",
        arguments: [("push.other-branch", "feature/main" as String?), ("push.tag", nil), ("push.first", "main")])
    func branches(sample: String, branch: String?) throws {
        let push = try Self.push(sample)

        #expect(push?.branch == branch)
    }

    @Test("A deleted branch is a deletion, and a first push follows no commit")
    func ends() throws {
        #expect(try Self.push("push.branch-deleted")?.change == .deletion)
        #expect(try Self.push("push.first")?.before == nil)
    }

    @Test("An installation names its repositories at the account's host")
    func installation() throws {
        let remotes = ["Alice/Hello-World", "Alice/Space.ship_2"].map {
            RemoteRepository(urls: ["https://github.com/\($0).git"], owner: "Alice", installationID: 4242)
        }

        #expect(try Self.event("installation.created") == .added(remotes))
        #expect(try Self.event("installation.deleted") == .uninstalled(installation: 4242, remotes))
        #expect(try Self.event("installation.suspend") == .suspended(installation: 4242, [remotes[0]]))
        #expect(try Self.event("installation.unsuspend") == .resumed(installation: 4242, []))
    }

    @Test("An installation whose account has no page is at the configured host")
    func enterprise() throws {
        let body = #"{"action": "created", "installation": {"id": 7}, "repositories": [{"full_name": "a/b", "id": 1}]}"#

        let event = try Self.event("installation", Array(body.utf8))

        #expect(
            event
                == .added([RemoteRepository(urls: ["https://ghe.example.com/a/b.git"], owner: "a", installationID: 7)]))
    }

    @Test("Chosen repositories come and go")
    func selection() throws {
        let rocket = RemoteRepository(
            urls: ["https://github.com/Alice/Rocket.git"], owner: "Alice", installationID: 4242)

        #expect(try Self.event("installation_repositories.added") == .added([rocket]))
        guard case .removed(let gone, _) = try Self.event("installation_repositories.removed") else {
            Issue.record("not a removal")
            return
        }
        #expect(gone == [rocket])
    }

    @Test(
        "A renamed or transferred repository tells its address before",
        arguments: [
            ("repository.renamed", "Alice/Hello-World", "Alice/Hello-Universe", "Alice"),
            ("repository.transferred", "Alice/Hello-World", "Octocoders/Hello-World", "Octocoders"),
            ("repository.transferred.from-organization", "Octocoders/Tool", "Alice/Tool", "Alice"),
        ])
    func moved(sample: String, before: String, after: String, owner: String) throws {
        guard case .moved(let remote, let address) = try Self.event(sample) else {
            Issue.record("not a move")
            return
        }

        #expect(address == RepositoryAddress("https://github.com/" + before))
        #expect(remote.cloneURL == "https://github.com/\(after).git")
        #expect(remote.owner == owner)
    }

    @Test("A deleted repository is removed, another default branch is told, other edits change nothing")
    func repository() throws {
        guard case .removed(let gone, _) = try Self.event("repository.deleted"),
            case .branchChanged(let changed) = try Self.event("repository.edited.default-branch"),
            case .other = try Self.event("repository.edited")
        else {
            Issue.record("another event")
            return
        }

        #expect(gone.first?.cloneURL == Self.world + ".git")
        #expect(changed.defaultBranch == "trunk")
    }

    @Test("Events nobody asked for are told by their name alone, whatever their body is")
    func unasked() throws {
        let event = try Self.event("check_run", Array("no JSON at all".utf8))

        guard case .other = event else {
            Issue.record("\(event)")
            return
        }
    }

    @Test(
        "What is no whole commit is refused",
        arguments: ["", "main", "04b8e44", "04B8E44988A1B2C3D4E5F60718293A4B5C6D7E8F", "--upload-pack=touch"])
    func badCommits(after: String) {
        let body = #"{"ref": "refs/heads/main", "after": "\#(after)", "repository": {"clone_url": "https://h/a/b"}}"#

        #expect(throws: PayloadRefusal.self) { try Self.event("push", Array(body.utf8)) }
    }

    @Test(
        "A name that is no repository's is refused",
        arguments: ["alice", "alice/", "/hello", "alice/../hello", "../x", "a/b/c", "a/b?c", "a/b c", "a@b/c", ""])
    func badNames(name: String) {
        let body =
            #"{"action": "created", "installation": {"id": 7}, "repositories": [{"full_name": "\#(name)"}]}"#

        #expect(throws: PayloadRefusal.self) { try Self.event("installation", Array(body.utf8)) }
    }

    @Test("Owner and URL must be of one repository")
    func otherURL() {
        let body = """
            {"ref": "refs/heads/main", "after": "\(Desk.commit)", "repository":
             {"full_name": "alice/hello", "clone_url": "https://github.com/mallory/hello.git", "owner": {"login": "alice"}}}
            """

        #expect(throws: PayloadRefusal.self) { try Self.event("push", Array(body.utf8)) }
    }

    @Test("More repositories than one event may have are refused")
    func tooMany() {
        let names = Array(repeating: #"{"full_name": "a/b"}"#, count: WebhookLimits.repositoriesMaximum + 1)
        let body =
            #"{"action": "added", "installation": {"id": 7}, "repositories_added": ["# + names.joined(separator: ",")
            + "]}"

        #expect(throws: PayloadRefusal.self) { try Self.event("installation_repositories", Array(body.utf8)) }
    }

    @Test(
        "A page that is no address of a host is not used",
        arguments: ["javascript:alert(1)", "https://", "x", "https://a@b/c"])
    func badPages(page: String) throws {
        let body =
            #"{"action": "created", "installation": {"id": 7, "account": {"html_url": "\#(page)"}}, "#
            + #""repositories": [{"full_name": "a/b"}]}"#

        let event = try Self.event("installation", Array(body.utf8))

        #expect(
            event
                == .added([RemoteRepository(urls: ["https://ghe.example.com/a/b.git"], owner: "a", installationID: 7)]))
    }

    @Test(
        "Every payload that is cut anywhere is refused with a reason",
        arguments: ["push", "installation.created", "repository.renamed"])
    func truncated(sample: String) throws {
        let sample = Sample(host: .gitHub, name: sample)
        var whole = try sample.bytes()
        while let last = whole.last, last == 0x0A { whole.removeLast() }

        for length in stride(from: 0, to: whole.count, by: 7) {
            #expect(throws: PayloadRefusal.self) { try Self.event(sample.event, Array(whole[..<length])) }
        }
    }

    @Test(
        "A body that is no event is refused with a reason",
        arguments: [
            "", "{", "[]", "null", #"{"ref": 1}"#, #"{"ref": "refs/heads/main", "after": "x"}"#, #"{"action": 1}"#,
            #"{"action": "created"}"#, #"{"action": "renamed", "repository": {}}"#,
            String(repeating: "[", count: 100_000),
        ])
    func badBodies(body: String) {
        for name in ["push", "installation", "installation_repositories", "repository"] {
            #expect(throws: PayloadRefusal.self) { try Self.event(name, Array(body.utf8)) }
        }
    }
}
