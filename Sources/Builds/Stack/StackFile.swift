import CRDs

/// The functions of a repository, as `stack.yml` lists them (OpenFaaS' format, as faas-cli reads it).
public struct StackFile: Sendable, Hashable {
    /// The functions, in the order of the file.
    public let functions: [StackFunction]
    /// What the file sets and Farebox does not act on, each with its place: for a warning, since such files are common.
    public let ignored: [String]

    /// The names a stack file has when none is given, in the order they are tried.
    public static let defaultNames = ["stack.yml", "stack.yaml"]
    /// The runtimes (`lang`) that work.
    public static let runtimes = ["dockerfile"]

    /// Reads a stack file.
    ///
    /// - Parameters:
    ///   - bytes: The file.
    ///   - name: Its name, for messages.
    ///   - rules: What it may set.
    /// - Throws: ``BuildFailure``: `StackInvalid` or `RuntimeUnknown`, with line and column.
    public init(_ bytes: [UInt8], name: String, rules: StackRules) throws(BuildFailure) {
        var reader = StackReader(name: name, rules: rules)
        functions = try reader.read(bytes)
        ignored = reader.ignored
    }

    /// Finds the stack file in a tree.
    ///
    /// - Parameter path: `spec.stackFile`, or nil for one of ``defaultNames``.
    /// - Throws: ``BuildFailure`` with `StackMissing`.
    public static func find(in tree: some SourceTree, path: String?) throws(BuildFailure) -> SourceEntry {
        let names = path.map { [$0] } ?? defaultNames
        for name in names {
            guard let entry = tree.entry(at: name) else { continue }
            guard entry.kind == .file || entry.kind == .executable else {
                throw BuildFailure(.stackMissing, "\(name) is not a file; links are not followed")
            }
            return entry
        }
        throw BuildFailure(
            .stackMissing, "the commit has no \(names.joined(separator: " or ")); add one, or name it in spec.stackFile"
        )
    }
}
