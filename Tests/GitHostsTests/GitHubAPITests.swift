import HTTP
import JSON
import Testing
import Timing

@testable import GitHosts

@Suite("Requests to Git hosts")
struct GitHubAPITests {
    private let commit = "99a7c6009ab99a7c6009ab99a7c6009ab9900000"
    private let now = Timestamp(secondsSinceEpoch: 1_700_000_000)

    private func place(_ form: StatusPlace.Form, project: String = "alice/shop") -> StatusPlace {
        StatusPlace(form: form, apiURL: "https://api.example.com", project: project, commit: commit)
    }

    private func body(_ request: HTTPClientRequest) throws -> JSONValue {
        guard case .bytes(let bytes) = request.body else { return .null }
        return try JSONReader().parse(bytes)
    }

    @Test(
        "A commit status of GitHub has its path, its words and at most 140 characters",
        arguments: [
            (StatusState.pending, "pending"), (.success, "success"), (.failure, "failure"), (.error, "error"),
            (.cancelled, "error"), (.skipped, "success"),
        ])
    func commitStatus(state: StatusState, word: String) throws {
        let text = String(repeating: "é", count: 139) + "\n" + "tail"
        let report = StatusReport(
            context: "stack-deploy", state: state, description: text, targetURL: "https://farebox.example.com")

        let request = GitHubAPI.status(report, at: place(.gitHubStatus), token: "t0ken")
        let body = try body(request)

        #expect(request.method == .post)
        #expect(request.url == "https://api.example.com/repos/alice/shop/statuses/\(commit)")
        #expect(request.headers["Authorization"] == "Bearer t0ken")
        #expect(request.headers["User-Agent"] == "farebox")
        #expect(body["state"] == .string(word))
        #expect(body["context"] == "stack-deploy")
        #expect(body["target_url"] == "https://farebox.example.com")
        #expect(body["description"]?.stringValue == String(repeating: "é", count: 139) + "…")
    }

    @Test("Gitea takes the same status with its own word before the token")
    func gitea() throws {
        let report = StatusReport(context: "cart", state: .success, description: "deployed: alice-cart")

        let request = GitHubAPI.status(report, at: place(.gitea), token: "t0ken")

        #expect(request.headers["Authorization"] == "token t0ken")
        #expect(try body(request)["target_url"] == nil)
    }

    @Test("Nothing in a name can leave its place in the URL")
    func hostileNames() {
        let report = StatusReport(context: "a&state=success#", state: .failure, description: "x")
        let hostile = "alice/../x?y=#%41 z"

        let gitHub = GitHubAPI.findCheckRuns(
            report.context, at: place(.gitHubCheck(appID: "x&y"), project: hostile), token: "")
        let gitLab = GitLabAPI.status(report, at: place(.gitLab, project: hostile), token: "")

        #expect(
            gitHub.url == "https://api.example.com/repos/alice/../x%3Fy%3D%23%2541%20z/commits/\(commit)/check-runs"
                + "?check_name=a%26state%3Dsuccess%23&filter=latest&per_page=100")
        #expect(
            gitLab.url == "https://api.example.com/projects/alice%2F..%2Fx%3Fy%3D%23%2541%20z/statuses/\(commit)"
                + "?context=a%26state%3Dsuccess%23&description=x&state=failed")
    }

    @Test("GitLab's statuses are the vectors'")
    func gitLabVectors() throws {
        for vector in try #require(try Vectors.load("urls.json")["gitlab_status"]?.arrayValue) {
            let text = { (key: String) in vector[key]?.stringValue ?? "" }
            let page = text("event_url").split(separator: "/", omittingEmptySubsequences: false).prefix(3)
            let place = StatusPlace(
                form: .gitLab, apiURL: page.joined(separator: "/") + "/api/v4",
                project: String(try #require(vector["project"]?.integerValue)), commit: text("sha"))
            let report = StatusReport(
                context: text("context"), state: try #require(StatusState(rawValue: text("state"))),
                description: text("description"))

            let request = GitLabAPI.status(report, at: place, token: "glpat-1")

            #expect(request.url == text("expect"))
            #expect(request.method == .post)
            #expect(request.headers["PRIVATE-TOKEN"] == "glpat-1")
            #expect(request.headers["Authorization"] == nil)
        }
    }

    @Test("GitLab gets no target that it would refuse for its length")
    func gitLabTarget() {
        let short = StatusReport(context: "c", state: .cancelled, description: "d", targetURL: "https://x/y z")
        let long = StatusReport(
            context: "c", state: .pending, description: "d", targetURL: "https://" + String(repeating: "x", count: 250))

        let query = { (report: StatusReport) in
            String(GitLabAPI.status(report, at: place(.gitLab), token: "").url.split(separator: "?").last ?? "")
        }

        #expect(query(short) == "context=c&description=d&state=canceled&target_url=https%3A%2F%2Fx%2Fy+z")
        #expect(query(long) == "context=c&description=d&state=pending")
    }

    @Test(
        "A check run says how it stands and when",
        arguments: [
            (StatusState.pending, "in_progress", nil), (.success, "completed", "success"),
            (.failure, "completed", "failure"), (.error, "completed", "failure"),
            (.cancelled, "completed", "cancelled"), (.skipped, "completed", "skipped"),
        ] as [(StatusState, String, String?)])
    func checkRun(state: StatusState, status: String, conclusion: String?) throws {
        let report = StatusReport(
            context: "cart", state: state, description: "what happened", targetURL: "https://x", text: "$ make")

        let made = try body(
            GitHubAPI.createCheckRun(report, at: place(.gitHubCheck(appID: "7")), token: "", now: now))
        let changed = GitHubAPI.updateCheckRun(12, report, at: place(.gitHubCheck(appID: "7")), token: "", now: now)

        #expect(made["name"] == "cart")
        #expect(made["head_sha"] == .string(commit))
        #expect(made["status"] == .string(status))
        #expect(made["conclusion"]?.stringValue == conclusion)
        #expect(made["completed_at"]?.stringValue == (conclusion == nil ? nil : "2023-11-14T22:13:20Z"))
        #expect(made["started_at"] == "2023-11-14T22:13:20Z")
        #expect(made["details_url"] == "https://x")
        #expect(made[path: "output", "title"] == "Build cart")
        #expect(
            made[path: "output", "summary"]?.stringValue
                == (conclusion == nil ? "what happened" : "[what happened](https://x)"))
        #expect(made[path: "output", "text"] == "```shell\n$ make\n```")
        #expect(changed.method == .patch)
        #expect(changed.url == "https://api.example.com/repos/alice/shop/check-runs/12")
        #expect(try body(changed)["external_id"] == made["external_id"])
        #expect(try body(changed)["started_at"] == nil)
    }

    @Test("The repository's check run has its own title, also of an environment")
    func stackTitle() throws {
        let title = { (context: String) in
            let report = StatusReport(context: context, state: .success, description: "d")
            return try body(
                GitHubAPI.createCheckRun(report, at: place(.gitHubCheck(appID: "7")), token: "", now: now))[
                    path: "output", "title"]
        }

        #expect(try title(StatusReport.stackContext) == "Deploy to Farebox")
        #expect(try title(StatusReport.stackContext(suffix: "staging")) == "Deploy to Farebox")
        #expect(try title("stack") == "Build stack")
    }

    @Test("Of all check runs of a name ours is found: by our id, else by our App")
    func findsOurRun() {
        let ours = "farebox:\(commit):cart"
        let place = place(.gitHubCheck(appID: "7"))
        func find(_ runs: String) -> Int64? {
            GitHubAPI.checkRun(of: "cart", at: place, in: Array(#"{"total_count": 1, "check_runs": [\#(runs)]}"#.utf8))
        }

        #expect(find("") == nil)
        #expect(find(#"{"id": 1, "name": "cart", "app": {"id": 8}}"#) == nil)
        #expect(find(#"{"id": 1, "name": "cart", "app": {"id": 7}}"#) == 1)
        #expect(find(#"{"id": 1, "name": "card", "external_id": "\#(ours)"}"#) == nil)
        #expect(
            find(
                #"{"id": 1, "name": "cart", "app": {"id": 7}}, {"id": 2, "name": "cart", "external_id": "\#(ours)"}"#)
                == 2)
        #expect(GitHubAPI.checkRun(of: "cart", at: place, in: Array("<html>".utf8)) == nil)
    }

    @Test("Tokens are what the vectors call valid, and nothing that could break a header")
    func tokenForm() throws {
        for vector in try #require(try Vectors.load("misc.json")["status_token"]?.arrayValue) {
            let token = try #require(vector["token"]?.stringValue)
            #expect(GitHubAPI.isToken(token) == vector["valid"]?.boolValue, "\(token)")
        }
        for token in ["", "a\r\nX: y", String(repeating: "a", count: 1025), "é"] {
            #expect(!GitHubAPI.isToken(token))
        }
    }

    @Test(
        "An answer with no usable token is none",
        arguments: [
            "", "{}", #"{"token": 5}"#, #"{"token": "a b"}"#, #"{"token": ""}"#, "[1]", #"{"token": "a"#,
            String(repeating: "[", count: 100_000),
        ])
    func badToken(body: String) {
        #expect(GitHubAPI.installationToken(in: Array(body.utf8)) == nil)
    }
}
