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

        /// Makes the default limits.
        public init() {}
    }

    /// SHA-256 of the tar, 64 hex digits.
    public let digest: String
    /// SHA-256 of what decides the image: files and build arguments, and not the name it gets.
    ///
    /// Equal inputs need no second build.
    public let inputsDigest: String
    /// Bytes of the tar.
    public let sizeBytes: Int
    /// Files and links in it.
    public let fileCount: Int

    /// The name of the entry that says what to build.
    public static let configurationName = "com.openfaas.docker.config"

    /// Makes the context of a function from the `dockerfile` runtime.
    ///
    /// - Parameters:
    ///   - function: Which folder, which build arguments.
    ///   - arguments: Build arguments for all functions; the function's own win.
    ///   - image: The name to push.
    ///   - tree: The commit's files.
    ///   - path: The file to write, made or emptied first.
    /// - Throws: ``BuildFailure``: `DockerfileMissing`, `ContextInvalid`, `ContextTooLarge`.
    public static func write(
        _ function: StackFunction, arguments: [String: String], image: ImageReference, from tree: some SourceTree,
        to path: String, limits: Limits = Limits()
    ) async throws -> BuildContext {
        let files = try await ContextFiles.select(function, from: tree, limits: limits)
        let contents = try await tree.open(files.entries)
        let arguments = arguments.merging(function.buildArguments) { _, own in own }
        return try await BlockingThread.run {
            Result { try write(files, contents, arguments: arguments, image: image, to: path) }
        }.get()
    }

    /// Makes the context of a function in a file that lives as long as `body` runs.
    ///
    /// - Parameters:
    ///   - folder: Where the file may be made.
    ///   - body: Gets the context and the path of its tar.
    /// - Throws: As ``write(_:arguments:image:from:to:limits:)``, and what `body` throws.
    public static func withTar<R: Sendable>(
        of function: StackFunction, arguments: [String: String], image: ImageReference, from tree: some SourceTree,
        in folder: String, limits: Limits = Limits(), _ body: (BuildContext, String) async throws -> R
    ) async throws -> R {
        let scratch = try ScratchFolder(in: folder, prefix: "context-")
        defer { scratch.remove() }
        let path = scratch.path + "/context.tar"
        let context = try await write(
            function, arguments: arguments, image: image, from: tree, to: path, limits: limits)
        return try await body(context, path)
    }

    private static func write(
        _ files: ContextFiles, _ contents: any SourceContents, arguments: [String: String], image: ImageReference,
        to path: String
    ) throws -> BuildContext {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw ScratchError.cannotOpen(path, code: errno) }
        defer { close(descriptor) }
        let output = Output(descriptor: descriptor)
        let buildArguments = JSONValue(arguments.mapValues { .string($0) })
        output.inputs.update(JSONWriter().write(buildArguments))
        output.inputs.update([0])
        var tar = TarWriter { try output.write($0) }
        try tar.addFile(
            configurationName,
            bytes: JSONWriter().write(["buildArgs": buildArguments, "image": .string(image.description)]))
        // The name above changes with each commit; what follows only with the files.
        output.isInput = true
        try tar.addDirectory("context")
        var folders: Set<String> = []
        for entry in files.entries {
            let name = files.name(of: entry)
            for folder in parents(of: name) where folders.insert(folder).inserted {
                try tar.addDirectory("context/" + folder)
            }
            if entry.kind == .link {
                var target: [UInt8] = []
                try contents.forEachPiece(of: entry) { target += $0 }
                try tar.addSymbolicLink("context/" + name, target: try files.checkedTarget(of: entry, target))
            } else {
                try tar.addFile(
                    "context/" + name, size: entry.sizeBytes, isExecutable: entry.kind == .executable
                ) { sink in
                    try contents.forEachPiece(of: entry) { try sink($0) }
                }
            }
        }
        try tar.finish()
        return BuildContext(
            digest: output.all.finalize().hex, inputsDigest: output.inputs.finalize().hex,
            sizeBytes: output.sizeBytes, fileCount: files.entries.count)
    }

    /// `a/b/c` lies in `a` and `a/b`.
    private static func parents(of name: String) -> [String] {
        let parts = name.split(separator: "/").dropLast()
        return parts.indices.map { parts[...$0].joined(separator: "/") }
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
