import Archive
import CRDs
import Cryptography
import Glibc
import JSON

/// The tar that a build gets: `com.openfaas.docker.config` at its root and the function's folder under `context/`.
///
/// The same files always give the same bytes, so the tar's digest names it: it is stored and fetched by it, and equal
/// contexts are stored once. `.dockerignore` is applied here, since BuildKit does not do it for a remote context.
public struct BuildContext: Sendable, Hashable {
    /// What may go into a context.
    public struct Limits: Sendable, Hashable {
        /// All files together may have this much.
        public var bytesMaximum = 128 << 20
        /// So many files and links.
        public var filesMaximum = 10_000
        /// Whether a Dockerfile of the author's may replace the one of a FaaSO runtime.
        public var allowsDockerfile = true

        /// Makes the default limits.
        public init() {}
    }

    /// SHA-256 of the tar, 64 hex digits.
    public let digest: String
    /// SHA-256 of what decides the image: files of function and runtime, with the options rendered into them, and build
    /// arguments; not the name it gets.
    ///
    /// Equal inputs need no second build.
    public let inputsDigest: String
    /// Bytes of the tar.
    public let sizeBytes: Int
    /// Files and links in it.
    public let fileCount: Int

    /// The name of the entry that says what to build.
    public static let configurationName = "com.openfaas.docker.config"

    /// Makes the context of a function.
    ///
    /// - Parameters:
    ///   - function: Which folder, which build arguments, which options.
    ///   - runtime: What the folder is merged with; nil when it has a Dockerfile of its own.
    ///   - arguments: Build arguments for all functions; the function's own win.
    ///   - image: The name to push.
    ///   - platforms: What to build for, as `linux/arm64`; the builder's own when empty.
    ///   - tree: The commit's files.
    ///   - path: The file to write, made or emptied first.
    /// - Throws: ``BuildFailure``: `DockerfileMissing`, `ContextInvalid`, `ContextTooLarge`.
    public static func write(
        _ function: StackFunction, runtime: Runtime? = nil, arguments: [String: String], image: ImageReference,
        platforms: [String] = [], from tree: some SourceTree, to path: String, limits: Limits = Limits()
    ) async throws -> BuildContext {
        let files = try await ContextFiles.select(function, runtime: runtime, from: tree, limits: limits)
        let contents = try await tree.open(files.entries.compactMap(\.source))
        let arguments = arguments.merging(function.buildArguments) { _, own in own }
        return try await BlockingThread.run {
            Result {
                try write(files, contents, arguments: arguments, image: image, platforms: platforms, to: path)
            }
        }.get()
    }

    /// Makes the context of a function in a file that lives as long as `body` runs.
    ///
    /// - Parameters:
    ///   - folder: Where the file may be made.
    ///   - body: Gets the context and the path of its tar.
    /// - Throws: As ``write(_:runtime:arguments:image:platforms:from:to:limits:)``, and what `body` throws.
    public static func withTar<R: Sendable>(
        of function: StackFunction, runtime: Runtime? = nil, arguments: [String: String], image: ImageReference,
        platforms: [String] = [], from tree: some SourceTree, in folder: String, limits: Limits = Limits(),
        _ body: (BuildContext, String) async throws -> R
    ) async throws -> R {
        let scratch = try ScratchFolder(in: folder, prefix: "context-")
        defer { scratch.remove() }
        let path = scratch.path + "/context.tar"
        let context = try await write(
            function, runtime: runtime, arguments: arguments, image: image, platforms: platforms, from: tree, to: path,
            limits: limits)
        return try await body(context, path)
    }

    private static func write(
        _ files: ContextFiles, _ contents: any SourceContents, arguments: [String: String], image: ImageReference,
        platforms: [String], to path: String
    ) throws -> BuildContext {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw ScratchError.cannotOpen(path, code: errno) }
        defer { close(descriptor) }
        let output = Output(descriptor: descriptor)
        let buildArguments = JSONValue(arguments.mapValues { .string($0) })
        output.inputs.update(JSONWriter().write(buildArguments))
        output.inputs.update([0])
        var tar = TarWriter { try output.write($0) }
        var configuration: JSONValue = ["buildArgs": buildArguments, "image": .string(image.description)]
        if !platforms.isEmpty { configuration["platforms"] = .array(platforms.map { .string($0) }) }
        try tar.addFile(configurationName, bytes: JSONWriter().write(configuration))
        // The name above changes with each commit; what follows only with the files.
        output.isInput = true
        try tar.addDirectory("context")
        var folders: Set<String> = []
        for entry in files.entries {
            for folder in entry.folders where folders.insert(folder).inserted {
                try tar.addDirectory("context/" + folder)
            }
            try add(entry, contents, to: &tar)
        }
        try tar.finish()
        return BuildContext(
            digest: output.all.finalize().hex, inputsDigest: output.inputs.finalize().hex,
            sizeBytes: output.sizeBytes, fileCount: files.entries.count)
    }

    private static func add(
        _ entry: ContextEntry, _ contents: any SourceContents, to tar: inout TarWriter
    ) throws {
        let path = "context/" + entry.name
        switch entry.content {
        case .bytes(let bytes, let isExecutable): try tar.addFile(path, bytes: bytes, isExecutable: isExecutable)
        case .source(let source) where source.kind == .link:
            var target: [UInt8] = []
            try contents.forEachPiece(of: source) { target += $0 }
            let checked = try entry.checkedTarget(target)
            do {
                try tar.addSymbolicLink(path, target: checked)
            } catch let error as ArchiveError {
                throw BuildFailure(.contextInvalid, "the link \(source.path) cannot be used: \(error)")
            }
        case .source(let source):
            try tar.addFile(path, size: source.sizeBytes, isExecutable: source.kind == .executable) { sink in
                try contents.forEachPiece(of: source) { try sink($0) }
            }
        }
    }

    /// Where the tar's bytes go: the file, and the two digests.
    private final class Output {
        let descriptor: Int32
        let all = SHA256Hasher()
        let inputs = SHA256Hasher()
        var isInput = false
        var sizeBytes = 0

        init(descriptor: Int32) { self.descriptor = descriptor }

        func write(_ bytes: [UInt8]) throws {
            all.update(bytes)
            if isInput { inputs.update(bytes) }
            sizeBytes += bytes.count
            try ScratchFolder.write(bytes, to: descriptor)
        }
    }
}
