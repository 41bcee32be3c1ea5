/// Tells what GitLab knows of a project beyond its events: whether it is "installed" is told by its topics.
protocol ProjectTopics: Sendable {
    /// Asks for a project.
    ///
    /// - Parameters:
    ///   - id: GitLab's number of it.
    ///   - isChanged: Whether an event said that it changed, so that no answer from before may be used.
    /// - Returns: Nil when there is none, or none that the token may see.
    /// - Throws: ``ProjectTopicsError`` when no answer came that says so.
    func project(_ id: Int64, isChanged: Bool) async throws(ProjectTopicsError) -> GitLabProject?
}

/// A project as GitLab's API tells it.
struct GitLabProject: Equatable, Sendable {
    /// Its topics; older versions call them tags.
    let topics: [String]
    let defaultBranch: String?
    /// Its clone URL, where the answer has one.
    var cloneURL: String?
    /// Its path below the host, groups included.
    var path: String?

    /// Whether it bears a topic; topics compare without regard to case.
    func bears(_ topic: String) -> Bool { topics.contains { $0.lowercased() == topic.lowercased() } }
}

/// Why GitLab could not be asked.
struct ProjectTopicsError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
