import HTTP
import JSON
import Synchronization

/// Asks GitLab's API for projects, and remembers the answers of pushes for a while.
///
/// A system hook tells of every push to every project of the host; without a memory each would cost a request.
///
/// Source: GitLab, "Projects API", `GET /projects/:id`.
final class GitLabProjects: ProjectTopics {
    /// A topic that was just added is seen by its own event at once, or by a push after at most this time.
    static let lifetime: Duration = .seconds(60)
    /// Projects remembered; the memory is emptied when it is full.
    static let rememberedMaximum = 10_000
    static let timeout: Duration = .seconds(5)
    /// A project is some kilobytes.
    private static let responseBytesMaximum = 1 << 20

    private struct Known {
        let project: GitLabProject?
        let askedAt: ContinuousClock.Instant
    }

    private struct Answer: Decodable {
        let topics: [String]?
        let tag_list: [String]?
        let default_branch: String?
        let http_url_to_repo: String?
        let path_with_namespace: String?
    }

    private let client: HTTPClient
    private let apiURL: String
    private let tokenPath: String
    private let timeout: Duration
    private let known = Mutex<[Int64: Known]>([:])

    /// - Parameters:
    ///   - apiURL: `https://gitlab.example.com/api/v4`.
    ///   - tokenPath: The file with a token that may read projects (scope `read_api`).
    ///   - timeout: How long GitLab may take for one answer.
    init(client: HTTPClient, apiURL: String, tokenPath: String, timeout: Duration = GitLabProjects.timeout) {
        self.client = client
        self.apiURL = apiURL
        self.tokenPath = tokenPath
        self.timeout = timeout
    }

    func project(_ id: Int64, isChanged: Bool) async throws(ProjectTopicsError) -> GitLabProject? {
        let now = ContinuousClock.now
        if !isChanged, let known = known.withLock({ $0[id] }), now - known.askedAt < Self.lifetime {
            return known.project
        }
        let project = try await ask(id)
        known.withLock { known in
            if known.count >= Self.rememberedMaximum { known.removeAll() }
            known[id] = Known(project: project, askedAt: now)
        }
        return project
    }

    private func ask(_ id: Int64) async throws(ProjectTopicsError) -> GitLabProject? {
        guard let token = SecretFile.read(tokenPath) else {
            throw ProjectTopicsError("no token for GitLab's API: put gitlab-api-token into the Secret farebox-webhook")
        }
        var request = HTTPClientRequest(url: "\(apiURL)/projects/\(id)", timeout: timeout)
        request.headers["PRIVATE-TOKEN"] = String(decoding: token, as: UTF8.self)
        request.headers["Accept"] = "application/json"
        request.responseBytesMaximum = Self.responseBytesMaximum
        let response: HTTPClientResponse
        do {
            response = try await client.send(request)
        } catch {
            throw ProjectTopicsError("GitLab's API cannot be asked: \(error)")
        }
        if response.status == .notFound { return nil }
        guard response.status.isSuccess else {
            throw ProjectTopicsError("GitLab's API answered \(response.status) for the project \(id)")
        }
        do {
            let answer = try JSONReader().decode(Answer.self, from: response.body)
            return GitLabProject(
                topics: answer.topics ?? answer.tag_list ?? [], defaultBranch: answer.default_branch,
                cloneURL: answer.http_url_to_repo, path: answer.path_with_namespace)
        } catch {
            throw ProjectTopicsError("GitLab's API answered no project: \(error)")
        }
    }
}
