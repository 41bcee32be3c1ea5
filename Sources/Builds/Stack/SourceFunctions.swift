import CRDs

/// All functions of a commit: those of its stack file, and each folder with a `funko.yml`.
public struct SourceFunctions: Sendable, Hashable {
    /// The functions: the stack file's in its order, then the folders' in the order of their paths.
    public let functions: [StackFunction]
    /// What the files set and Farebox does not act on, each with its place.
    public let ignored: [String]

    /// Finds and reads them.
    ///
    /// - Parameters:
    ///   - tree: The commit's files.
    ///   - stackFile: `spec.stackFile`; then only folders beside and below that file count as functions. Nil looks for
    ///     `stack.yml` and `stack.yaml` in the root, and in all folders.
    ///   - rules: What the files may set.
    ///   - variables: What `${…}` can stand for in a stack file.
    /// - Throws: ``BuildFailure``: `StackMissing`, `StackInvalid`, `RuntimeUnknown`; what reading throws.
    public static func read(
        from tree: some SourceTree, stackFile: String?, rules: StackRules, variables: [String: String] = [:]
    ) async throws -> SourceFunctions {
        var places: [String: String] = [:]
        var functions: [StackFunction] = []
        var ignored: [String] = []
        let entry = try StackFile.find(in: tree, path: stackFile)
        if let entry {
            let stack = try await StackFile(entry, from: tree, rules: rules, variables: variables)
            functions = stack.functions
            ignored = stack.ignored
            for function in functions { places[function.name] = entry.path }
        }
        let funkos = funkoFiles(in: tree, below: stackFile)
        guard functions.count + funkos.count <= rules.functionsMaximum else {
            throw BuildFailure(
                .stackInvalid,
                "the commit has \(functions.count + funkos.count) functions; at most \(rules.functionsMaximum) are allowed"
            )
        }
        for entry in funkos {
            let file = try await funko(entry, tree, rules)
            if let place = places[file.function.name] {
                throw BuildFailure(
                    .stackInvalid, "the function \(file.function.name) is in \(place) and in \(entry.path); rename one")
            }
            places[file.function.name] = entry.path
            functions.append(file.function)
            ignored += file.ignored
        }
        guard !functions.isEmpty else {
            throw BuildFailure(
                .stackMissing,
                "the commit has no \(StackFile.defaultNames.joined(separator: " or ")) in its root and no \(FunkoFile.name) "
                    + "in any folder; add one, or name the stack file in spec.stackFile")
        }
        return SourceFunctions(functions: functions, ignored: ignored)
    }

    private static func funkoFiles(in tree: some SourceTree, below stackFile: String?) -> [SourceEntry] {
        let folder = stackFile.map { $0.split(separator: "/").dropLast().joined(separator: "/") } ?? ""
        return tree.entries(below: folder).filter {
            ($0.path == FunkoFile.name || $0.path.hasSuffix("/" + FunkoFile.name))
                && ($0.kind == .file || $0.kind == .executable)
        }
    }

    private static func funko(
        _ entry: SourceEntry, _ tree: some SourceTree, _ rules: StackRules
    ) async throws -> FunkoFile {
        let bytes = try await AuthorFile.read(entry, from: tree, rules: rules)
        let files = try await EnvironmentFiles.load(
            Array(try FunkoFile.environmentFiles(bytes, path: entry.path).prefix(rules.environmentFilesMaximum)),
            from: tree)
        return try FunkoFile(bytes, path: entry.path, rules: rules, files: files)
    }
}
