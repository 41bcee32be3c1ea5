import CRDs
import YAML

/// The files that functions name in `environment_file`: each holds a mapping `environment`, and later ones win.
struct EnvironmentFiles {
    /// What was found at each path: its bytes, or why it cannot be used.
    private let contents: [String: Result<[UInt8], BuildFailure>]

    init(_ contents: [String: Result<[UInt8], BuildFailure>] = [:]) {
        self.contents = contents
    }

    /// An environment file may not be larger.
    static let bytesMaximum = 64 << 10

    /// Reads what some functions name.
    ///
    /// - Parameters:
    ///   - paths: The paths as written; those that lead out of the repository are refused later, with their place.
    ///   - tree: The commit's files.
    static func load(_ paths: [String], from tree: some SourceTree) async throws -> EnvironmentFiles {
        var contents: [String: Result<[UInt8], BuildFailure>] = [:]
        for path in Set(paths.compactMap(AuthorFields.treePath)) {
            guard let entry = tree.entry(at: path), entry.kind == .file || entry.kind == .executable else { continue }
            guard entry.sizeBytes <= bytesMaximum else {
                contents[path] = .failure(
                    BuildFailure(.stackInvalid, "\(path) has more than \(bytesMaximum) bytes"))
                continue
            }
            contents[path] = .success(try await tree.read(entry, bytesMaximum: bytesMaximum))
        }
        return EnvironmentFiles(contents)
    }

    /// The variables of all files that one function names.
    ///
    /// - Parameter fields: The function.
    func variables(for fields: AuthorFields) throws(BuildFailure) -> [String: String] {
        var result: [String: String] = [:]
        for (text, location) in try fields.list("environment_file", of: "paths") {
            let name = fields.name("environment_file")
            guard let path = AuthorFields.treePath(text) else {
                throw fields.invalid(location, "\(name) must name files inside the repository, without '..'")
            }
            guard let content = contents[path] else {
                throw fields.invalid(location, "\(name): \(path) is no file of the commit; links are not followed")
            }
            result.merge(try variables(path, try content.get())) { _, later in later }
        }
        return result
    }

    private func variables(_ path: String, _ bytes: [UInt8]) throws(BuildFailure) -> [String: String] {
        let root: YAMLNode
        do {
            root = try YAMLReader().parse(bytes)
        } catch {
            throw BuildFailure(.stackInvalid, "\(path): \(error)")
        }
        let fields = AuthorFields(file: path, path: "", node: root)
        guard root.mapping != nil else {
            throw fields.invalid(root.location, "must be a mapping with the key environment")
        }
        return try fields.map("environment")
    }
}
