import Builds
import Commands
import Glibc

/// What `build`, `export` and `up` have in common: which folder, which of its functions, how it is read.
struct FolderOptions: Sendable {
    /// The folder.
    let folder: String
    /// What its own file says.
    let settings: FolderSettings
    private let options: Options
    private let console: Console

    /// The options that choose functions and runtimes.
    static let reading: [CommandDescription.Option] = [
        .init(
            "yaml", short: "f", value: "FILE", completion: .file, "the stack file, from the folder (default: stack.yml)"
        ),
        .init("filter", value: "NAME", isRepeated: true, "only this function; may be repeated"),
        .init("build-arg", value: "K=V", isRepeated: true, "an ARG of the Dockerfile; may be repeated"),
        runtimes,
    ]

    /// The option that names where runtimes are.
    static let runtimes = CommandDescription.Option(
        "runtimes", value: "FOLDER", completion: .folder, "the folder with runtimes (default: those installed)")

    /// Reads the folder's own file.
    ///
    /// - Throws: `CommandFailure` when it cannot be used.
    init(_ folder: String, _ options: Options, _ console: Console) async throws {
        self.folder = Self.withoutSlash(folder)
        guard SmallFile.exists(self.folder) else {
            throw CommandFailure(.notFound, "there is no folder \(TerminalText.line(self.folder))")
        }
        self.options = options
        self.console = console
        settings = try await Self.settings(self.folder)
    }

    private static func settings(_ folder: String) async throws -> FolderSettings {
        let path = folder + "/" + FolderSettings.fileName
        guard let bytes = try await SmallFile.read(path, bytesMaximum: FolderSettings.bytesMaximum) else {
            return FolderSettings()
        }
        return try FolderSettings(bytes, path: path)
    }

    /// Finds the runtimes that functions of the folder may name.
    ///
    /// - Throws: `CommandFailure`.
    func catalog() async throws -> RuntimeCatalog {
        let named = options["runtimes"] ?? console.variable(RuntimePlaces.variable) ?? settings.runtimes.map(path)
        return try await RuntimePlaces(named: named, program: RuntimePlaces.ownPath, project: folder).catalog()
    }

    /// Reads the folder's functions.
    ///
    /// - Parameters:
    ///   - cluster: What the cluster says; its defaults when nil.
    ///   - followsLinks: Whether links count as what they lead to.
    /// - Throws: `CommandFailure`, `UsageError`.
    func source(cluster: ClusterSettings? = nil, followsLinks: Bool = false) async throws -> SourceFolder {
        var request = SourceFolder.Request(path: folder, stackFile: options["yaml"] ?? settings.stack)
        request.names = options.all("filter")
        request.arguments = try arguments()
        request.followsLinks = followsLinks
        request.variables = Self.environment()
        if let labels = cluster?.allowedLabels { request.rules.allowedLabels = labels }
        if let annotations = cluster?.allowedAnnotations { request.rules.allowedAnnotations = annotations }
        let source = try await SourceFolder.read(request, catalog: try await catalog())
        for line in source.ignored { console.note("note: " + TerminalText.line(line)) }
        return source
    }

    /// The build arguments that were typed; those for packages add up, as faas-cli has it.
    ///
    /// - Throws: `UsageError`.
    func arguments() throws(UsageError) -> [String: String] {
        var result: [String: String] = [:]
        for text in options.all("build-arg") {
            let parts = text.split(separator: "=", maxSplits: 1).map { Self.trimmed($0) }
            guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
                throw UsageError("--build-arg: '\(text.prefix(80))' must be NAME=VALUE")
            }
            if parts[0] == RuntimeManifest.packagesArgument, let before = result[parts[0]] {
                result[parts[0]] = before + " " + parts[1]
            } else {
                result[parts[0]] = parts[1]
            }
        }
        return result
    }

    /// A path that the folder's own file names, from where the person is.
    func path(_ text: String) -> String { text.hasPrefix("/") ? text : folder + "/" + text }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }

    private static func withoutSlash(_ text: String) -> String {
        var text = Substring(text)
        while text.count > 1, text.last == "/" { text.removeLast() }
        return text.isEmpty ? "." : String(text)
    }

    /// The variables of this process: `${…}` of a stack file means them, as for faas-cli; programs that it starts get them.
    static func environment() -> [String: String] {
        var result: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            let parts = String(cString: entry).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { result[String(parts[0])] = String(parts[1]) }
            next += 1
        }
        return result
    }
}

extension RuntimePlaces {
    /// Where this program lies.
    static var ownPath: String { String(decoding: LinkTarget.read("/proc/self/exe") ?? [], as: UTF8.self) }
}
