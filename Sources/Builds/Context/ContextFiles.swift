import CRDs

/// The files of a function's folder that go into its context.
struct ContextFiles: Sendable {
    /// The folder, without slashes around it; empty for the root of the tree.
    let folder: String
    /// In the order of the paths' bytes.
    let entries: [SourceEntry]

    /// A link's target may not be longer (PATH_MAX of Linux).
    private static let targetBytesMaximum = 4096

    /// Selects the files, with `.dockerignore` applied and all limits kept.
    static func select(
        _ function: StackFunction, from tree: some SourceTree, limits: BuildContext.Limits
    ) async throws -> ContextFiles {
        let folder = function.handler
        let all = tree.entries(below: folder)
        let what = "the folder '\(folder.isEmpty ? "." : folder)' of function \(function.name)"
        guard !all.isEmpty else {
            throw BuildFailure(.contextInvalid, "\(what) is not in the commit; links to folders are not followed")
        }
        let prefix = folder.isEmpty ? "" : folder + "/"
        guard let dockerfile = tree.entry(at: prefix + "Dockerfile"), dockerfile.kind != .link,
            dockerfile.kind != .submodule
        else { throw BuildFailure(.dockerfileMissing, "\(what) has no Dockerfile") }

        let ignore = try await ignoreRules(prefix, tree, what)
        var kept: [SourceEntry] = []
        var bytes = 0
        for entry in all {
            // The Dockerfile is read from the tar: it goes along whatever the rules say.
            if entry.path != dockerfile.path, ignore.excludes(String(entry.path.dropFirst(prefix.count))) { continue }
            guard entry.kind != .submodule else {
                throw BuildFailure(
                    .contextInvalid, "\(entry.path) is a submodule; submodules are not fetched: copy its files instead")
            }
            bytes += entry.sizeBytes  // The whole tree was counted before: no overflow.
            kept.append(entry)
        }
        guard kept.count <= limits.filesMaximum else {
            throw BuildFailure(
                .contextTooLarge, "\(what) has \(kept.count) files; at most \(limits.filesMaximum) are allowed")
        }
        guard bytes <= limits.bytesMaximum else {
            throw BuildFailure(
                .contextTooLarge,
                "\(what) has \(bytes >> 20) MiB; at most \(limits.bytesMaximum >> 20) MiB are allowed: leave out what the "
                    + "image does not need with a .dockerignore")
        }
        return ContextFiles(folder: folder, entries: kept)
    }

    private static func ignoreRules(
        _ prefix: String, _ tree: some SourceTree, _ what: String
    ) async throws -> DockerIgnore {
        // BuildKit's order: the file beside the Dockerfile first.
        for name in ["Dockerfile.dockerignore", ".dockerignore"] {
            guard let entry = tree.entry(at: prefix + name), entry.kind == .file || entry.kind == .executable else {
                continue
            }
            let bytes = try await tree.read(entry, bytesMaximum: DockerIgnore.fileBytesMaximum)
            do {
                return try DockerIgnore(String(decoding: bytes, as: UTF8.self))
            } catch {
                throw BuildFailure(.contextInvalid, "\(what): \(error)")
            }
        }
        return DockerIgnore()
    }

    /// The path inside the context.
    func name(of entry: SourceEntry) -> String {
        String(entry.path.dropFirst(folder.isEmpty ? 0 : folder.count + 1))
    }

    /// The target of a link, once it is sure that it stays inside the context.
    func checkedTarget(of entry: SourceEntry, _ bytes: [UInt8]) throws(BuildFailure) -> String {
        let refusal = BuildFailure(
            .contextInvalid, "the link \(entry.path) leads out of the function's folder; put a copy in its place")
        guard let target = String(validating: bytes, as: UTF8.self), !target.isEmpty, !target.hasPrefix("/"),
            !target.contains("\0"), bytes.count <= Self.targetBytesMaximum
        else { throw refusal }
        var depth = name(of: entry).split(separator: "/").count - 1
        for part in target.split(separator: "/") where part != "." {
            depth += part == ".." ? -1 : 1
            guard depth >= 0 else { throw refusal }
        }
        return target
    }
}
