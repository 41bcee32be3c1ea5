import Builds
import Commands
import Cryptography
import Glibc
import Timing

/// Builds the functions of one folder, wherever that is to happen.
struct FolderBuild: Sendable {
    let source: SourceFolder
    let build: BuildOptions
    let console: Console
    /// Where functions will be: part of the names of images in the cluster's own registry.
    let namespace: String
    /// What the cluster says; nil where it was not asked.
    var settings: ClusterSettings?

    /// An image that was built.
    struct Built: Sendable, Hashable {
        /// The function's name.
        let function: String
        /// The image as it was pushed.
        let image: ImageReference
        /// Its digest; nil where the builder does not tell.
        let digest: String?
    }

    /// Names the image of a function.
    ///
    /// - Throws: `CommandFailure` when it cannot be named, or Git has to be asked and is not there.
    func image(_ entry: SourceFolder.Entry) async throws -> ImageReference {
        let (written, tag) = ImageTag.split(entry.stack.image.isEmpty ? entry.stack.name : entry.stack.image)
        let name = try ImageDestination.name(
            image: written, namespace: namespace, named: build.registry, cluster: settings?.push)
        let rule = try build.tag()
        var commit: GitDescription?
        if rule.needsCommit {
            commit = await GitDescription.read(source.tree.path, search: console.variable("PATH") ?? "")
            guard commit != nil else {
                throw CommandFailure(
                    .failed, "--tag \(rule.rawValue): \(source.tree.path) is at no commit of a Git repository")
            }
        }
        var digest = ""
        if rule == .digest { digest = try await HandlerDigest.digest(of: entry.stack.handler, in: source.tree) }
        let text = rule.apply(to: name + (tag.map { ":" + $0 } ?? ""), commit: commit, digest: digest)
        do {
            return try ImageReference(parsing: text)
        } catch {
            throw CommandFailure(.failed, "the image of \(entry.stack.name) cannot be called \(text): \(error)")
        }
    }

    /// Names the image of a function that stays on this machine, where it needs no registry.
    ///
    /// - Throws: As ``image(_:)``.
    func localImage(_ entry: SourceFolder.Entry) async throws -> ImageReference {
        if build.registry == nil, !ImageDestination.hasHost(entry.stack.image), settings?.push == nil {
            var local = self
            local.settings = ClusterSettings(push: "localhost")
            return try await local.image(entry)
        }
        return try await image(entry)
    }

    // MARK: - By a builder

    /// Builds a function by a builder.
    ///
    /// - Throws: `CommandFailure`, `CancellationError`.
    func remotely(_ entry: SourceFolder.Entry, _ image: ImageReference, _ client: BuilderClient) async throws -> Built {
        let log = BuildTalk(
            console, function: entry.stack.name, isQuiet: try build.isQuiet(), isOne: source.functions.count == 1)
        do {
            let result = try await BuildContext.withTar(
                of: entry.stack, runtime: entry.runtime, arguments: entry.arguments, image: image,
                platforms: build.platforms(), from: source.tree, in: Self.scratch(console)
            ) { _, path in try await client.build(path) { log.take($0) } }
            return Built(function: entry.stack.name, image: image, digest: result.digest)
        } catch let failure as BuildFailure {
            throw CommandFailure(failure, in: source.tree.path)
        } catch {
            log.showKept()
            throw error
        }
    }

    // MARK: - Here

    /// Builds a function by a program of this machine.
    ///
    /// - Parameter pushes: Whether the image goes to its registry.
    /// - Throws: `CommandFailure`, `CancellationError`.
    func locally(_ entry: SourceFolder.Entry, _ image: ImageReference, pushes: Bool) async throws -> Built {
        let (builder, path) = try LocalBuilder.choose(
            named: build.program, search: console.variable("PATH") ?? "",
            hasBuildKitHost: console.variable("BUILDKIT_HOST") != nil)
        // A name that nobody else guesses: the folder holds what becomes the image.
        let folder = Self.scratch(console) + "/farebox-" + Hex.encode(randomBytes(8))
        do {
            _ = try await ContextFolder(path: folder, layout: .standalone).write(
                entry.stack, runtime: entry.runtime, from: source.tree)
        } catch let failure as BuildFailure {
            throw CommandFailure(failure, in: source.tree.path)
        }
        let work = LocalBuilder.Work(
            folder: folder, image: image.description, arguments: entry.arguments, platforms: build.platforms(),
            pushes: pushes, skipsCache: build.skipsCache)
        let ended: Result<Void, any Error>
        do {
            for call in builder.calls(work, path: path) { try await Self.run(call) }
            ended = .success(())
        } catch {
            ended = .failure(error)
        }
        await ContextFolder.remove(folder)
        try ended.get()
        return Built(function: entry.stack.name, image: image, digest: nil)
    }

    /// Runs a program; its words are its own.
    private static func run(_ call: ForegroundProcess) async throws {
        let status: Int32
        do {
            status = try await call.run()
        } catch let error as ForegroundProcessError {
            throw CommandFailure(.failed, error.description)
        }
        guard status != 0 else { return }
        let name = call.program.split(separator: "/").last.map(String.init) ?? call.program
        throw CommandFailure(
            .failed, "\(name) \(call.arguments.first ?? "") ended with code \(status); what it said is above")
    }

    private static func scratch(_ console: Console) -> String { console.variable("TMPDIR") ?? "/tmp" }
}
