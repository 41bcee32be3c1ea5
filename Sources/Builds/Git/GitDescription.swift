/// What Git says of the commit that a folder on disk is at.
public struct GitDescription: Sendable, Hashable {
    /// The first digits of the commit, as many as Git finds enough.
    public var shortCommit: String
    /// The branch; `HEAD` when there is none.
    public var branch: String
    /// What `git describe --tags --always` says.
    public var description: String

    /// Makes a description.
    public init(shortCommit: String, branch: String, description: String) {
        self.shortCommit = shortCommit
        self.branch = branch
        self.description = description
    }

    /// Asks Git; nil when the folder is in no repository, or there is no Git.
    ///
    /// - Parameters:
    ///   - folder: A folder of somebody's own: its Git configuration is believed.
    ///   - search: The folders to look for `git` in, as `PATH` has them.
    public static func read(_ folder: String, search: String) async -> GitDescription? {
        guard let program = Executable.find("git", search: search) else { return nil }
        func ask(_ arguments: [String]) async -> String? {
            let child = ChildProcess(
                program: program, arguments: ["-C", folder] + arguments, environment: ["LC_ALL": "C"],
                workingDirectory: "/", timeout: .seconds(20))
            guard let result = try? await child.run(), result.status == 0 else { return nil }
            let text = String(decoding: result.output, as: UTF8.self).split(whereSeparator: \.isNewline).first
            return text.map(String.init)
        }
        guard let commit = await ask(["rev-parse", "--short", "HEAD"]),
            let branch = await ask(["rev-parse", "--abbrev-ref", "HEAD"]),
            let description = await ask(["describe", "--tags", "--always"])
        else { return nil }
        return GitDescription(shortCommit: commit, branch: branch, description: description)
    }
}
