import Builds
import Commands

/// A program of this machine that builds images.
enum LocalBuilder: String, Sendable, CaseIterable {
    case docker
    case podman
    case buildah
    case buildctl

    /// What is to be built.
    struct Work: Sendable, Hashable {
        /// The folder with the Dockerfile.
        var folder: String
        /// The image's name with its tag.
        var image: String
        /// Build arguments.
        var arguments: [String: String]
        /// What to build for; this machine when empty.
        var platforms: [String] = []
        /// Whether the image goes to its registry.
        var pushes = false
        /// Whether layers of earlier builds are not used.
        var skipsCache = false
    }

    /// The one to use: the first that is there.
    ///
    /// BuildKit's own client needs to be told where its daemon is.
    ///
    /// - Parameters:
    ///   - named: What somebody asked for.
    ///   - search: Folders as `PATH` has them.
    ///   - hasBuildKitHost: Whether `BUILDKIT_HOST` is set.
    /// - Throws: `CommandFailure` when there is none.
    static func choose(
        named: String?, search: String, hasBuildKitHost: Bool
    ) throws(CommandFailure) -> (builder: LocalBuilder, path: String) {
        let wanted = named.map { [LocalBuilder(rawValue: $0)].compactMap { $0 } } ?? allCases
        for builder in wanted where builder != .buildctl || hasBuildKitHost || named != nil {
            if let path = Executable.find(builder.rawValue, search: search) { return (builder, path) }
        }
        throw CommandFailure(
            .notFound,
            named.map { "there is no \($0.prefix(80)) here" } ?? "no program that builds images was found here",
            advice:
                "install docker, podman or buildah, set BUILDKIT_HOST for buildctl, or build in the cluster with --remote"
        )
    }

    /// The calls that do the work, one after the other.
    func calls(_ work: Work, path: String) -> [ForegroundProcess] {
        let arguments = work.arguments.sorted { $0.key < $1.key }
        switch self {
        case .docker, .podman, .buildah:
            var words = self == .buildah ? ["build", "--format", "docker", "--layers"] : ["build"]
            words += ["--tag", work.image, "--file", work.folder + "/Dockerfile"]
            if !work.platforms.isEmpty { words += ["--platform", work.platforms.joined(separator: ",")] }
            if work.skipsCache { words.append("--no-cache") }
            for (name, value) in arguments { words += ["--build-arg", name + "=" + value] }
            words.append(work.folder)
            return [ForegroundProcess(program: path, arguments: words)]
                + (work.pushes ? [ForegroundProcess(program: path, arguments: ["push", work.image])] : [])
        case .buildctl:
            var words = [
                "build", "--frontend", "dockerfile.v0", "--local", "context=" + work.folder, "--local",
                "dockerfile=" + work.folder,
            ]
            if !work.platforms.isEmpty { words += ["--opt", "platform=" + work.platforms.joined(separator: ",")] }
            if work.skipsCache { words.append("--no-cache") }
            for (name, value) in arguments { words += ["--opt", "build-arg:" + name + "=" + value] }
            words += ["--output", "type=image,name=\(work.image),push=\(work.pushes)"]
            return [ForegroundProcess(program: path, arguments: words)]
        }
    }
}
