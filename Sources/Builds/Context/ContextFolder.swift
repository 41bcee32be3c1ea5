import CRDs
import Glibc

/// A function's build context as a folder on disk, for people and for other tools.
public struct ContextFolder: Sendable {
    /// Which files it gets.
    public enum Layout: Sendable, Hashable {
        /// What a build gets, so that any builder makes the same image of it.
        case standalone
        /// What `faas-cli build --shrinkwrap` makes: `.dockerignore` is not applied yet.
        case shrinkwrap
    }

    /// A Dockerfile that is rewritten may not be larger.
    private static let dockerfileBytesMaximum = 1 << 20

    /// Where it is made; nothing may be there yet, and the folder above must be.
    public let path: String
    /// Which files it gets.
    public let layout: Layout

    /// Describes a folder that is to be made.
    public init(path: String, layout: Layout) {
        self.path = path
        self.layout = layout
    }

    /// Makes the folder; one that cannot be finished is removed.
    ///
    /// - Parameters:
    ///   - function: Which handler, which options.
    ///   - runtime: What the handler is merged with; nil when it has a Dockerfile of its own.
    ///   - tree: The files.
    ///   - limits: How much it may hold.
    ///   - dockerfile: Rewrites the Dockerfile.
    /// - Returns: The paths of its files, in the order of their bytes.
    /// - Throws: ``BuildFailure``: `DockerfileMissing`, `ContextInvalid`, `ContextTooLarge`.
    public func write(
        _ function: StackFunction, runtime: Runtime?, from tree: some SourceTree,
        limits: BuildContext.Limits = BuildContext.Limits(),
        dockerfile: @escaping @Sendable ([UInt8]) -> [UInt8] = { $0 }
    ) async throws -> [String] {
        let files = try await ContextFiles.select(
            function, runtime: runtime, from: tree, limits: limits, by: layout == .shrinkwrap ? .shrinkwrap : .build)
        let contents = try await tree.open(files.entries.compactMap(\.source))
        // faas-cli makes the handler's folder even when nothing goes into it.
        let folders = [runtime?.handlerFolder ?? ""].filter { !$0.isEmpty }
        return try await BlockingThread.run {
            Result { try write(files, contents, folders: folders, dockerfile) }
        }.get()
    }

    /// Removes a folder with all it holds, if it is there; links are removed, never followed.
    public static func remove(_ path: String) async {
        // Without a thread it stays, as it would if this process were killed now.
        try? await BlockingThread.run { ScratchFolder(existing: path).remove() }
    }

    // MARK: - On the thread

    private func write(
        _ files: ContextFiles, _ contents: any SourceContents, folders: [String], _ dockerfile: ([UInt8]) -> [UInt8]
    ) throws -> [String] {
        guard mkdir(path, 0o755) == 0 else {
            guard errno == EEXIST else { throw failure("make", path) }
            throw BuildFailure(.contextInvalid, "\(path) is there already; remove it, or name another folder")
        }
        do {
            var made: Set<String> = []
            for folder in folders { try make(folder, &made) }
            for entry in files.entries {
                for folder in entry.folders { try make(folder, &made) }
                try write(entry, contents, dockerfile)
            }
        } catch {
            ScratchFolder(existing: path).remove()
            throw error
        }
        return files.entries.map(\.name)
    }

    private func make(_ folder: String, _ made: inout Set<String>) throws {
        let parts = folder.split(separator: "/")
        for end in parts.indices {
            let name = parts[...end].joined(separator: "/")
            guard made.insert(name).inserted else { continue }
            guard mkdir(path + "/" + name, 0o755) == 0 else { throw failure("make", name) }
        }
    }

    private func write(
        _ entry: ContextEntry, _ contents: any SourceContents, _ dockerfile: ([UInt8]) -> [UInt8]
    ) throws {
        if let source = entry.source, source.kind == .link {
            var target: [UInt8] = []
            try contents.forEachPiece(of: source) { target += $0 }
            guard symlink(try entry.checkedTarget(target), path + "/" + entry.name) == 0 else {
                throw failure("make the link", entry.name)
            }
            return
        }
        let mode: mode_t = entry.isExecutable ? 0o755 : 0o644
        let full = path + "/" + entry.name
        let descriptor = open(full, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure("make", entry.name) }
        defer { close(descriptor) }
        // The umask may have taken rights away that the image needs.
        guard fchmod(descriptor, mode) == 0 else { throw failure("make", entry.name) }
        if entry.name == ContextFiles.dockerfile, entry.sizeBytes <= Self.dockerfileBytesMaximum {
            var bytes: [UInt8] = []
            try forEachPiece(of: entry, contents) { bytes += $0 }
            try ScratchFolder.write(dockerfile(bytes), to: descriptor)
        } else {
            try forEachPiece(of: entry, contents) { try ScratchFolder.write($0, to: descriptor) }
        }
    }

    private func forEachPiece(
        of entry: ContextEntry, _ contents: any SourceContents, _ body: ([UInt8]) throws -> Void
    ) throws {
        switch entry.content {
        case .bytes(let bytes, _): try body(bytes)
        case .source(let source): try contents.forEachPiece(of: source, body)
        }
    }

    private func failure(_ what: String, _ name: String) -> BuildFailure {
        BuildFailure(.contextInvalid, "cannot \(what) \(name): \(String(cString: strerror(errno)))")
    }
}
