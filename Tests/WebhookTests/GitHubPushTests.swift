import Testing

@testable import Webhook

@Suite("A GitHub push payload")
struct GitHubPushTests {
    static let commit = "04b8e44988a1b2c3d4e5f60718293a4b5c6d7e8f"

    static func payload(
        ref: String = "refs/heads/main", after: String = commit, deleted: String = "false", extra: String = ""
    ) -> [UInt8] {
        Array(
            """
            {"ref": "\(ref)", "before": "\(commit)", "after": "\(after)", "deleted": \(deleted), \(extra)
             "repository": {"id": 1, "full_name": "alice/hello", "clone_url": "https://github.com/alice/hello.git",
             "html_url": "https://github.com/alice/hello", "url": "https://github.com/alice/hello", "topics": []},
             "pusher": {"name": "alice"}}
            """.utf8)
    }

    @Test("A push names its repository, branch and commit; unknown fields are ignored")
    func push() throws {
        let event = try GitHubPush.event(from: Self.payload(extra: #""compare": null, "commits": [{"id": 1}],"#))

        #expect(event.branch == "main")
        #expect(event.change == .commit(Self.commit))
        #expect(event.repositoryURLs.first == "https://github.com/alice/hello.git")
    }

    @Test(
        "A branch's name is all that follows refs/heads/, and a tag is no branch",
        arguments: [
            ("refs/heads/feature/main", "feature/main" as String?), ("refs/tags/main", nil), ("main", nil),
            ("refs/heads/", nil), ("", nil),
        ])
    func branches(ref: String, branch: String?) throws {
        let event = try GitHubPush.event(from: Self.payload(ref: ref))

        #expect(event.branch == branch)
    }

    @Test(
        "A deleted branch is a deletion, told by the flag or by a commit of zeros",
        arguments: [(commit, "true"), (String(repeating: "0", count: 40), "false")])
    func deletion(after: String, deleted: String) throws {
        let event = try GitHubPush.event(from: Self.payload(after: after, deleted: deleted))

        #expect(event.change == .deletion)
    }

    @Test(
        "What is no whole commit is refused",
        arguments: ["", "main", "04b8e44", "04B8E44988A1B2C3D4E5F60718293A4B5C6D7E8F", "--upload-pack=touch"])
    func badCommits(after: String) {
        #expect(throws: GitHubPush.Refusal.self) { try GitHubPush.event(from: Self.payload(after: after)) }
    }

    @Test(
        "A body that is no push is refused with a reason",
        arguments: ["", "{", "[]", "null", #"{"ref": 1}"#, #"{"ref": "refs/heads/main", "after": "x"}"#])
    func badBodies(body: String) {
        #expect(throws: GitHubPush.Refusal.self) { try GitHubPush.event(from: Array(body.utf8)) }
    }

    @Test("A truncated payload is refused wherever it ends")
    func truncated() {
        let whole = Self.payload()
        for length in 0..<whole.count {
            #expect(throws: GitHubPush.Refusal.self) { try GitHubPush.event(from: Array(whole[..<length])) }
        }
    }
}
