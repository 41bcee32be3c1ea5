import CRDs

/// The files that go into a function's context: the runtime's, the handler's laid over them, and what is copied beside it.
///
/// With an OpenFaaS template it is what faas-cli's shrinkwrap makes (`facts/builder-and-faaso.md` §1.14), with a FaaSO runtime what
/// FaaSO's `export` makes (§4.4), and without a runtime the handler's folder itself.
struct ContextFiles: Sendable {
    /// In the order of the names' bytes; none lies below another.
    let entries: [ContextEntry]

    static let dockerfile = "Dockerfile"
    /// Folders at the top of a handler that faas-cli leaves out: its own working folders.
    private static let cliFolders: Set<String> = ["build", "template"]

    /// Whose rules decide which files count.
    enum Rules {
        /// Those of a build: `.dockerignore` is applied, and no file may stand in the place of another's Dockerfile.
        case build
        /// Those of faas-cli's `--shrinkwrap`: whoever builds the folder applies `.dockerignore`.
        case shrinkwrap
    }

    /// Selects the files, with all limits kept.
    static func select(
        _ function: StackFunction, runtime: Runtime?, from tree: some SourceTree, limits: BuildContext.Limits,
        by rule: Rules = .build
    ) async throws -> ContextFiles {
        let folder = function.handler
        let what = "the folder '\(folder.isEmpty ? "." : folder)' of function \(function.name)"
        var merged: [ContextEntry] = []
        if let runtime {
            let files = try runtime.files(for: function.name, options: function.options)
            let ignore = rule == .build ? try rules(of: files, runtime) : DockerIgnore()
            merged = files.map { ContextEntry($0) }.filter { $0.name == dockerfile || !ignore.excludes($0.name) }
        }
        let own = try await handlerEntries(function, runtime, tree, what, rule)
        if rule == .build || runtime == nil { try checkDockerfile(own, runtime, what, limits) }
        merged = lay(own, over: merged)
        merged = lay(try extraEntries(function, runtime, tree), over: merged)
        if let link = merged.first(where: { $0.source?.kind == .submodule }) {
            throw BuildFailure(
                .contextInvalid, "\(link.name) is a submodule; submodules are not fetched: copy its files instead")
        }
        try check(merged, what, limits)
        return ContextFiles(entries: merged.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) })
    }

    private static func check(
        _ entries: [ContextEntry], _ what: String, _ limits: BuildContext.Limits
    ) throws(BuildFailure) {
        guard entries.count <= limits.filesMaximum else {
            throw BuildFailure(
                .contextTooLarge, "\(what) has \(entries.count) files; at most \(limits.filesMaximum) are allowed")
        }
        // The whole tree and each runtime were counted before: no overflow.
        let bytes = entries.reduce(0) { $0 + $1.sizeBytes }
        guard bytes <= limits.bytesMaximum else {
            throw BuildFailure(
                .contextTooLarge,
                "\(what) has \(bytes >> 20) MiB; at most \(limits.bytesMaximum >> 20) MiB are allowed: leave out what the "
                    + "image does not need with a .dockerignore")
        }
    }

    // MARK: - The handler

    private static func handlerEntries(
        _ function: StackFunction, _ runtime: Runtime?, _ tree: some SourceTree, _ what: String, _ rule: Rules
    ) async throws -> [ContextEntry] {
        let all = tree.entries(below: function.handler)
        guard !all.isEmpty else {
            throw BuildFailure(.contextInvalid, "\(what) is not in the commit; links to folders are not followed")
        }
        let prefix = function.handler.isEmpty ? "" : function.handler + "/"
        let base = runtime?.handlerFolder ?? ""
        let ignore = rule == .build ? try await ignoreRules(prefix, tree, what) : DockerIgnore()
        return all.compactMap { entry in
            let name = String(entry.path.dropFirst(prefix.count))
            // The Dockerfile is read from the tar: it goes along whatever the rules say.
            guard name == dockerfile || !ignore.excludes(name), isTaken(name, runtime, rule) else { return nil }
            return ContextEntry(entry, name: base.isEmpty ? name : base + "/" + name, base: base)
        }
    }

    /// What faas-cli and FaaSO leave out at the top of a handler's folder.
    private static func isTaken(_ name: String, _ runtime: Runtime?, _ rule: Rules) -> Bool {
        let top = name.prefix { $0 != "/" }
        switch runtime?.kind {
        case nil: return rule == .build || !cliFolders.contains(String(top))
        case .openFaaS: return !cliFolders.contains(String(top)) && name != FunkoFile.name
        case .faaso: return !top.hasPrefix(".")
        }
    }

    /// Without a runtime there has to be a Dockerfile; with one there may be none but by the administrator's leave.
    private static func checkDockerfile(
        _ own: [ContextEntry], _ runtime: Runtime?, _ what: String, _ limits: BuildContext.Limits
    ) throws(BuildFailure) {
        let entry = own.first { $0.name == dockerfile }
        guard let runtime else {
            guard let kind = entry?.source?.kind, kind == .file || kind == .executable else {
                throw BuildFailure(.dockerfileMissing, "\(what) has no Dockerfile")
            }
            return
        }
        guard entry != nil else { return }
        if case .openFaaS = runtime.kind {
            throw BuildFailure(
                .contextInvalid,
                "\(what) has a Dockerfile where the runtime \(runtime.name) has its own; rename it, or use lang: dockerfile"
            )
        }
        guard limits.allowsDockerfile else {
            throw BuildFailure(
                .contextInvalid,
                "\(what) has a Dockerfile, which would replace the one of the runtime \(runtime.name); the administrator has "
                    + "switched that off: remove it")
        }
        guard entry?.source?.kind == .file || entry?.source?.kind == .executable else {
            throw BuildFailure(.dockerfileMissing, "the Dockerfile in \(what) is not a file")
        }
    }

    /// What `configuration.copy` of the stack names: it goes beside the handler's files, under the paths it has in the repository.
    private static func extraEntries(
        _ function: StackFunction, _ runtime: Runtime?, _ tree: some SourceTree
    ) throws(BuildFailure) -> [ContextEntry] {
        let base = runtime?.handlerFolder ?? ""
        var entries: [ContextEntry] = []
        for path in function.extraPaths {
            let found = tree.entry(at: path).map { [$0][...] } ?? tree.entries(below: path)
            guard !found.isEmpty else {
                throw BuildFailure(
                    .contextInvalid,
                    "function \(function.name): '\(path)' of configuration.copy is not in the commit")
            }
            entries += found.map {
                ContextEntry($0, name: base.isEmpty ? $0.path : base + "/" + $0.path, base: base)
            }
        }
        guard runtime == nil || base != "" || !entries.contains(where: { $0.name == dockerfile }) else {
            throw BuildFailure(
                .contextInvalid, "function \(function.name): configuration.copy may not bring a Dockerfile")
        }
        return entries
    }

    // MARK: - Laying over

    /// Puts entries over others: where two have one path, or one is a folder of the other, the upper one stays.
    private static func lay(_ upper: [ContextEntry], over lower: [ContextEntry]) -> [ContextEntry] {
        var last: [String: ContextEntry] = [:]
        for entry in upper { last[entry.name] = entry }
        let folders = Set(last.values.flatMap(\.folders))
        let kept = lower.filter { entry in
            last[entry.name] == nil && !folders.contains(entry.name) && !entry.folders.contains { last[$0] != nil }
        }
        return kept + last.values
    }

    // MARK: - Rules

    private static func ignoreRules(
        _ prefix: String, _ tree: some SourceTree, _ what: String
    ) async throws -> DockerIgnore {
        for name in ignoreFiles {
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

    /// BuildKit's order: the file beside the Dockerfile first.
    private static let ignoreFiles = ["Dockerfile.dockerignore", ".dockerignore"]

    private static func rules(of files: [RuntimeFile], _ runtime: Runtime) throws(BuildFailure) -> DockerIgnore {
        for name in ignoreFiles {
            guard let file = files.first(where: { $0.path == name }) else { continue }
            do {
                return try DockerIgnore(String(decoding: file.bytes, as: UTF8.self))
            } catch {
                throw BuildFailure(.contextInvalid, "the runtime \(runtime.name): \(error)")
            }
        }
        return DockerIgnore()
    }
}
