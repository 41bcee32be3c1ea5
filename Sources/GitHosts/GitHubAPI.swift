import HTTP
import JSON
import KubernetesTypes
import Timing

/// The requests to GitHub's API (version 2022-11-28), and to Gitea's, whose commit statuses have the same form.
///
/// Pure: what is to be sent, not the sending.
enum GitHubAPI {
    /// Longer descriptions of a commit status are refused.
    static let descriptionMaximum = 140
    /// A summary of a check run may have as much as its text.
    static let summaryMaximum = 10_000
    /// What the title of the repository's own check run says.
    static let stackTitle = "Deploy to Farebox"

    // MARK: - Installations

    /// `POST /app/installations/<id>/access_tokens`: a token for what an installation may see.
    static func accessToken(installation: Int64, apiURL: String, jsonWebToken: String) -> HTTPClientRequest {
        request(.post, apiURL + "/app/installations/\(installation)/access_tokens", token: jsonWebToken)
    }

    /// What the answer to ``accessToken(installation:apiURL:jsonWebToken:)`` says.
    ///
    /// - Returns: The token and when it ends; nil when it is no such answer.
    static func installationToken(in body: [UInt8]) -> InstallationToken? {
        guard let value = try? JSONReader().parse(body), let text = value["token"]?.stringValue, isToken(text) else {
            return nil
        }
        let end = value["expires_at"]?.stringValue.flatMap { Timestamp(rfc3339: $0) }
        return InstallationToken(text: text, expiresAt: end ?? .earliest)
    }

    /// Whether a text has the form of a token: letters, digits, `-`, `_` and `.`, so that no header breaks.
    static func isToken(_ text: String) -> Bool {
        (1...1024).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                    || "-_.".utf8.contains($0)
            }
    }

    // MARK: - Commit statuses

    /// `POST /repos/<owner>/<repository>/statuses/<sha>`, of GitHub or Gitea.
    static func status(_ report: StatusReport, at place: StatusPlace, token: String) -> HTTPClientRequest {
        var body: JSONObject = [
            "context": .string(report.context), "state": .string(statusState(report.state)),
            "description": .string(BoundedText.line(report.description, maximum: descriptionMaximum)),
        ]
        if let url = report.targetURL { body["target_url"] = .string(url) }
        return request(
            .post, repository(place) + "/statuses/" + PercentEncoding.encode(place.commit), token: token,
            scheme: place.form == .gitea ? "token" : "Bearer", body: .object(body))
    }

    private static func statusState(_ state: StatusState) -> String {
        switch state {
        case .pending: "pending"
        case .success, .skipped: "success"
        case .failure: "failure"
        case .error, .cancelled: "error"
        }
    }

    // MARK: - Check runs

    /// `GET /repos/…/commits/<sha>/check-runs`: the runs of one name on a commit.
    static func findCheckRuns(_ context: String, at place: StatusPlace, token: String) -> HTTPClientRequest {
        var query = "check_name=" + PercentEncoding.formValue(context) + "&filter=latest&per_page=100"
        if case .gitHubCheck(let appID) = place.form, Int64(appID) != nil { query += "&app_id=" + appID }
        let commit = PercentEncoding.encode(place.commit)
        return request(.get, repository(place) + "/commits/\(commit)/check-runs?" + query, token: token)
    }

    /// The run of ours in the answer to ``findCheckRuns(_:at:token:)``; nil when there is none.
    static func checkRun(of context: String, at place: StatusPlace, in body: [UInt8]) -> Int64? {
        guard let runs = (try? JSONReader().parse(body))?["check_runs"]?.arrayValue else { return nil }
        let named = runs.filter { $0["name"]?.stringValue == context }
        let known = named.first { $0["external_id"]?.stringValue == externalID(context, place) }
        // An older version may have made it without an id of ours, but never another App.
        let own = named.first { run in
            guard case .gitHubCheck(let appID) = place.form, let id = run[path: "app", "id"]?.integerValue else {
                return false
            }
            return String(id) == appID
        }
        return (known ?? own)?["id"]?.integerValue
    }

    /// `POST /repos/…/check-runs`: a new run.
    static func createCheckRun(
        _ report: StatusReport, at place: StatusPlace, token: String, now: Timestamp
    ) -> HTTPClientRequest {
        var body = checkRun(report, place, now: now)
        body["head_sha"] = .string(place.commit)
        body["started_at"] = .string(now.rfc3339(.seconds))
        return request(.post, repository(place) + "/check-runs", token: token, body: .object(body))
    }

    /// `PATCH /repos/…/check-runs/<id>`: a run goes on, or ends.
    static func updateCheckRun(
        _ run: Int64, _ report: StatusReport, at place: StatusPlace, token: String, now: Timestamp
    ) -> HTTPClientRequest {
        request(
            .patch, repository(place) + "/check-runs/\(run)", token: token,
            body: .object(checkRun(report, place, now: now)))
    }

    /// The number of the run in the answer to a creation.
    static func checkRunID(in body: [UInt8]) -> Int64? {
        (try? JSONReader().parse(body))?["id"]?.integerValue
    }

    private static func checkRun(_ report: StatusReport, _ place: StatusPlace, now: Timestamp) -> JSONObject {
        let description = BoundedText.line(report.description, maximum: summaryMaximum)
        var output: JSONObject = [
            "title": .string(report.isOfStack ? stackTitle : "Build " + report.context),
            "summary": .string(description),
        ]
        if let text = report.text, !text.isEmpty { output["text"] = .string(CheckText.framed(text)) }
        var body: JSONObject = [
            "name": .string(report.context), "external_id": .string(externalID(report.context, place)),
        ]
        if let url = report.targetURL {
            body["details_url"] = .string(url)
            if report.state.isFinal { output["summary"] = .string("[\(description)](\(url))") }
        }
        body["output"] = .object(output)
        if report.state.isFinal {
            body["status"] = "completed"
            body["conclusion"] = .string(conclusion(report.state))
            body["completed_at"] = .string(now.rfc3339(.seconds))
        } else {
            body["status"] = "in_progress"
        }
        return body
    }

    private static func conclusion(_ state: StatusState) -> String {
        switch state {
        case .pending: "neutral"  // Never asked for: a pending run has no conclusion.
        case .success: "success"
        case .failure, .error: "failure"
        case .cancelled: "cancelled"
        case .skipped: "skipped"
        }
    }

    /// What finds a run again: the same for a context and a commit, whatever process made it.
    private static func externalID(_ context: String, _ place: StatusPlace) -> String {
        "farebox:\(place.commit):\(context)"
    }

    // MARK: - Form

    private static func repository(_ place: StatusPlace) -> String {
        let path = place.project.split(separator: "/").map { PercentEncoding.encode(String($0)) }
        return place.apiURL + "/repos/" + path.joined(separator: "/")
    }

    private static func request(
        _ method: HTTPMethod, _ url: String, token: String, scheme: String = "Bearer", body: JSONValue? = nil
    ) -> HTTPClientRequest {
        var headers = HTTPHeaders([
            ("Accept", "application/vnd.github+json"), ("X-GitHub-Api-Version", "2022-11-28"),
            ("User-Agent", "farebox"), ("Authorization", scheme + " " + token),
        ])
        if body != nil { headers.set("Content-Type", "application/json") }
        return HTTPClientRequest(
            method, url: url, headers: headers, body: body.map { .bytes(JSONWriter().write($0)) } ?? .none,
            responseBytesMaximum: GitHostLimits.answerBytesMaximum)
    }
}

/// A token for what one installation of the App may see.
///
/// It has no description: interpolating it into a message shows nothing.
struct InstallationToken: Sendable, CustomStringConvertible, CustomReflectable {
    let text: String
    let expiresAt: Timestamp

    var description: String { "(token)" }
    var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// What a Git host's API may take of our time and memory.
enum GitHostLimits {
    /// One request, whole.
    static let timeout: Duration = .seconds(15)
    /// An answer; a hundred check runs have about 500 kB.
    static let answerBytesMaximum = 2 << 20
}
