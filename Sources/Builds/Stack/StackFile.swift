import CRDs

/// The functions of a repository, as `stack.yml` lists them (OpenFaaS' format, as faas-cli reads it).
public struct StackFile: Sendable, Hashable {
    /// The functions, in the order of the file.
    public let functions: [StackFunction]
    /// What the file sets and Farebox does not act on, each with its place: for a warning, since such files are common.
    public let ignored: [String]

    /// The names a stack file has when none is given, in the order they are tried.
    public static let defaultNames = ["stack.yml", "stack.yaml"]

    /// Reads a stack file that names no other files.
    ///
    /// - Parameters:
    ///   - bytes: The file.
    ///   - name: Its name, for messages.
    ///   - rules: What it may set.
    ///   - variables: What `${…}` can stand for.
    /// - Throws: ``BuildFailure``: `StackInvalid` or `RuntimeUnknown`, with line and column.
    public init(
        _ bytes: [UInt8], name: String, rules: StackRules, variables: [String: String] = [:]
    ) throws(BuildFailure) {
        var reader = try StackReader(bytes, name: name, rules: rules, variables: variables)
        functions = try reader.functions(files: EnvironmentFiles()) { _ in false }
        ignored = reader.ignored
    }

    /// Reads a stack file and what it names in the same tree.
    ///
    /// - Parameters:
    ///   - entry: The file.
    ///   - tree: The commit's files.
    ///   - rules: What it may set.
    ///   - variables: What `${…}` can stand for.
    /// - Throws: ``BuildFailure``: `StackInvalid` or `RuntimeUnknown`, with line and column; what reading throws.
    public init(
        _ entry: SourceEntry, from tree: some SourceTree, rules: StackRules, variables: [String: String]
    ) async throws {
        let bytes = try await AuthorFile.read(entry, from: tree, rules: rules)
        var reader = try StackReader(bytes, name: entry.path, rules: rules, variables: variables)
        let files = try await EnvironmentFiles.load(
            Array(reader.environmentFiles.prefix(rules.environmentFilesMaximum)), from: tree)
        functions = try reader.functions(files: files) { tree.contains($0) }
        ignored = reader.ignored
    }

    /// Finds the stack file in a tree.
    ///
    /// - Parameter path: `spec.stackFile`, or nil for one of ``defaultNames``.
    /// - Returns: Nil when no name is given and there is no such file.
    /// - Throws: ``BuildFailure`` with `StackMissing`.
    static func find(in tree: some SourceTree, path: String?) throws(BuildFailure) -> SourceEntry? {
        for name in path.map({ [$0] }) ?? defaultNames {
            guard let entry = tree.entry(at: name) else { continue }
            guard entry.kind == .file || entry.kind == .executable else {
                throw BuildFailure(.stackMissing, "\(name) is not a file; links are not followed")
            }
            return entry
        }
        guard let path else { return nil }
        throw BuildFailure(.stackMissing, "the commit has no \(path), which spec.stackFile names")
    }
}

/// The few files of a commit that Farebox itself reads.
enum AuthorFile {
    /// Reads one, within the limit.
    ///
    /// - Throws: ``BuildFailure`` with `StackInvalid`: too large a file is its author's fault, not the repository's.
    static func read(_ entry: SourceEntry, from tree: some SourceTree, rules: StackRules) async throws -> [UInt8] {
        guard entry.sizeBytes <= rules.fileBytesMaximum else {
            throw BuildFailure(.stackInvalid, "\(entry.path) has more than \(rules.fileBytesMaximum) bytes")
        }
        return try await tree.read(entry, bytesMaximum: rules.fileBytesMaximum)
    }
}

extension SourceTree {
    /// Whether a file or a folder is at that path.
    func contains(_ path: String) -> Bool { entry(at: path) != nil || !entries(below: path).isEmpty }
}
