import HTTP
import JSON
import Testing
import Timing

@testable import Webhook

@Suite("Events of GitLab")
struct GitLabDialectTests {
    static let base = "https://gitlab.example.com"

    static func event(_ sample: String, url: String? = base, instance: String? = nil) throws -> GitEvent {
        var headers = HTTPHeaders([("X-Gitlab-Event", "System Hook")])
        headers["X-Gitlab-Instance"] = instance
        let body = try Sample(host: .gitLab, name: sample).bytes()
        return try GitLabDialect(url: url).event(RawDelivery(headers: headers, body: body))
    }

    static func event(body: String) throws -> GitEvent {
        try GitLabDialect(url: base).event(RawDelivery(headers: HTTPHeaders(), body: Array(body.utf8)))
    }

    @Test(
        "A push of either kind of hook names project, branch, commit and the newest commit's message",
        arguments: ["push", "push.system-hook"])
    func push(sample: String) throws {
        guard case .push(let push) = try Self.event(sample) else {
            Issue.record("not a push")
            return
        }

        #expect(push.branch == "main")
        #expect(push.change == .commit(Desk.commit))
        #expect(push.before == Desk.before)
        #expect(push.message == "Update Catalan translation")
        #expect(push.repository.cloneURL == Self.base + "/mike/diaspora.git")
        #expect(push.repository.owner == "mike")
        #expect(push.repository.projectID == 15)
        #expect(push.repository.defaultBranch == "main")
        #expect(push.repository.topics == nil)
    }

    @Test("A project in subgroups belongs to the group at the top; topics are taken where they are told")
    func pushVariants() throws {
        guard case .push(let deep) = try Self.event("push.subgroup"),
            case .push(let topical) = try Self.event("push.with-topics"),
            case .push(let gone) = try Self.event("push.branch-deleted")
        else {
            Issue.record("not a push")
            return
        }

        #expect(deep.repository.owner == "mike")
        #expect(deep.repository.cloneURL == Self.base + "/mike/tools/deep/diaspora.git")
        #expect(topical.repository.topics == ["Farebox", "docs"])
        #expect(gone.change == .deletion)
    }

    @Test("Events of a project are at the configured host, else at the one that the delivery names")
    func projects() throws {
        let remote = RemoteRepository(urls: [Self.base + "/mike/diaspora.git"], owner: "mike", projectID: 15)
        let other = RemoteRepository(
            urls: ["https://other.example.com/mike/diaspora.git"], owner: "mike", projectID: 15)
        guard case .removed(let gone, _) = try Self.event("project_destroy") else {
            Issue.record("not a removal")
            return
        }

        #expect(try Self.event("project_update") == .changed(remote))
        #expect(gone == [remote])
        #expect(
            try Self.event("project_update", url: nil, instance: "https://other.example.com") == .changed(other))
        #expect(try Self.event("project_update", instance: "https://other.example.com") == .changed(remote))
        guard case .other = try Self.event("project_update", url: nil) else {
            Issue.record("a host from nowhere")
            return
        }
    }

    @Test("A project whose URL is another's is refused, and one at another host than the configured is left alone")
    func otherURL() throws {
        func push(_ url: String) throws -> GitEvent {
            try Self.event(
                body: """
                    {"event_name": "push", "ref": "refs/heads/main", "after": "\(Desk.commit)", "project_id": 15,
                     "project": {"git_http_url": "\(url)", "path_with_namespace": "mike/diaspora"}}
                    """)
        }

        #expect(throws: PayloadRefusal.self) { try push(Self.base + "/mallory/diaspora.git") }
        #expect(throws: PayloadRefusal.self) { try push(Self.base + "/xmike/diaspora.git") }
        guard case .push = try push(Self.base + "/mike/diaspora.git"),
            case .push = try push(Self.base + "/below/mike/diaspora.git"),
            case .other = try push("https://evil.example.com/mike/diaspora.git")
        else {
            Issue.record("another event")
            return
        }
    }

    @Test(
        "A renamed or transferred project tells its address before", arguments: ["project_rename", "project_transfer"])
    func moved(sample: String) throws {
        guard case .moved(let remote, let before) = try Self.event(sample) else {
            Issue.record("not a move")
            return
        }

        #expect(before == RepositoryAddress(Self.base + "/mike/diaspora"))
        #expect(remote.owner == (sample == "project_rename" ? "mike" : "scores"))
    }

    @Test("The owner is the first part of the path")
    func owners() throws {
        struct Vectors: Decodable {
            struct Vector: Decodable {
                let path: String
                let expect: String?
            }

            let gitlab_user: [Vector]
        }

        for vector in try JSONReader().decode(Vectors.self, from: Sample.vectors("misc")).gitlab_user {
            #expect((try? GitLabPayload.owner(vector.path)) == vector.expect, "\(vector.path)")
        }
    }

    @Test("Events of other kinds change nothing, whatever types their members have")
    func others() throws {
        for sample in Sample.all
        where sample.host == .gitLab && !sample.name.hasPrefix("push")
            && !["project_update", "project_rename", "project_transfer", "project_destroy"].contains(sample.name)
        {
            guard case .other = try Self.event(sample.name) else {
                Issue.record("\(sample.name)")
                continue
            }
        }
    }

    @Test(
        "A body that is no event is refused with a reason",
        arguments: [
            "", "{", "[]", "null", "{}", #"{"event_name": 7}"#, #"{"event_name": "push"}"#,
            #"{"event_name": "push", "ref": "refs/heads/a", "after": "x", "project": {"git_http_url": "https://h/a/b"}}"#,
            #"{"event_name": "project_update"}"#, #"{"event_name": "project_update", "path_with_namespace": "alone"}"#,
            #"{"event_name": "project_update", "path_with_namespace": "a/../b"}"#,
            #"{"event_name": "project_rename", "path_with_namespace": "a/b"}"#,
        ])
    func badBodies(body: String) {
        #expect(throws: PayloadRefusal.self) { try Self.event(body: body) }
    }

    @Test("A delivery is named by webhook-id or Idempotency-Key, else by its body")
    func identifiers() throws {
        func name(_ fields: [(String, String)]) throws -> String {
            try GitLabDialect(url: nil).identifier(RawDelivery(headers: HTTPHeaders(fields), body: Array("{}".utf8)))
        }

        #expect(try name([("webhook-id", "a"), ("Idempotency-Key", "b")]) == "a")
        #expect(try name([("Idempotency-Key", "b"), ("X-Gitlab-Event-UUID", "c")]) == "b")
        #expect(try name([("X-Gitlab-Event-UUID", "c")]).hasPrefix("body-"))
        #expect(throws: PayloadRefusal.self) { try name([("webhook-id", "a b")]) }
    }
}

@Suite("Events of Gitea, Forgejo and plain Git servers")
struct OtherDialectTests {
    static let gitea = GiteaDialect(signature: HubSignature(acceptsSHA1: false))
    static let plain = PlainGitDialect(signature: HubSignature(acceptsSHA1: false))

    static func event(_ sample: String, prefix: String = "X-Gitea") throws -> GitEvent {
        let sample = Sample(host: .gitea, name: sample)
        return try gitea.event(
            RawDelivery(headers: HTTPHeaders([("\(prefix)-Event", sample.event)]), body: try sample.bytes()))
    }

    @Test(
        "A push is told under Gitea's, Forgejo's and GitHub's names", arguments: ["X-Gitea", "X-Forgejo", "X-GitHub"])
    func push(prefix: String) throws {
        guard case .push(let push) = try Self.event("push", prefix: prefix) else {
            Issue.record("not a push")
            return
        }

        #expect(push.branch == "main")
        #expect(push.change == .commit(Desk.commit))
        #expect(push.repository.cloneURL == "https://git.example.com/carol/quiet.git")
        #expect(push.repository.owner == "carol")
        #expect(push.pushedAt == nil)
    }

    @Test("A deleted repository is removed; a new one changes nothing")
    func repository() throws {
        guard case .removed = try Self.event("repository.deleted"), case .other = try Self.event("repository.created")
        else {
            Issue.record("another event")
            return
        }
    }

    @Test("The signature is the HMAC in hexadecimal, under any of its names")
    func signatures() {
        let request = Desk.request(.gitea, Array("{}".utf8))
        let hex = request.headers["X-Gitea-Signature"] ?? ""
        func doubt(_ fields: [(String, String)]) -> String? {
            Self.gitea.doubt(
                RawDelivery(headers: HTTPHeaders(fields), body: Array("{}".utf8)), secrets: [Desk.secret], now: Desk.now
            )
        }

        #expect(doubt([("X-Gitea-Signature", hex)]) == nil)
        #expect(doubt([("X-Forgejo-Signature", hex)]) == nil)
        #expect(doubt([("X-Hub-Signature-256", "sha256=" + hex)]) == nil)
        #expect(doubt([("X-Gitea-Signature", String(hex.dropLast()) + "!")]) != nil)
        #expect(doubt([("X-Gitea-Signature", "00"), ("X-Hub-Signature-256", "sha256=" + hex)]) != nil)
        #expect(doubt([]) != nil)
    }

    @Test("A plain server says what was pushed, and when")
    func plainPush() throws {
        let body = try Sample(host: .git, name: "push").bytes()
        guard case .push(let push) = try Self.plain.event(RawDelivery(headers: HTTPHeaders(), body: body)) else {
            Issue.record("not a push")
            return
        }

        #expect(push.branch == "main")
        #expect(push.repository.owner == "dave")
        #expect(push.pushedAt?.rfc3339(.seconds) == "2026-11-20T12:00:00Z")
    }

    @Test(
        "What a plain server leaves out is named",
        arguments: [
            "{}", #"{"url": "x"}"#, #"{"url": "https://h/a/b"}"#, #"{"url": "https://h/a/b", "ref": "refs/heads/a"}"#,
            #"{"url": "https://h/a/b", "ref": "refs/heads/a", "after": "main"}"#,
        ])
    func plainRefused(body: String) {
        #expect(throws: PayloadRefusal.self) {
            try Self.plain.event(RawDelivery(headers: HTTPHeaders(), body: Array(body.utf8)))
        }
    }
}
