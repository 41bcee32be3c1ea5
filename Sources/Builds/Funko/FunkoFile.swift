import CRDs
import YAML

/// A function of FaaSO: a folder with a `funko.yml` that names it.
///
/// Its keys are `name`, `runtime` and `options`; beside them it may set how it runs, with the keys of a stack file
/// (`environment`, `secrets`, `limits` and so on). Without a runtime the folder has a Dockerfile. The program listens on
/// port 3000 and answers `GET /ping` with 200 when it works.
public struct FunkoFile: Sendable, Hashable {
    /// The function.
    public let function: StackFunction
    /// What the file sets and Farebox does not act on, each with its place.
    public let ignored: [String]

    /// The name of the file in its folder.
    public static let name = "funko.yml"
    /// The port that a funko listens on.
    public static let port: Int32 = 3000
    /// The path that tells whether a funko works.
    public static let healthPath = "/ping"

    /// A funko may have this many options.
    static let optionsMaximum = 64

    /// Reads a file.
    ///
    /// - Parameters:
    ///   - bytes: The file.
    ///   - path: Its path in the repository, which gives the handler's folder.
    ///   - rules: What it may set.
    /// - Throws: ``BuildFailure``: `StackInvalid` or `RuntimeUnknown`, with line and column.
    public init(_ bytes: [UInt8], path: String, rules: StackRules) throws(BuildFailure) {
        try self.init(bytes, path: path, rules: rules, files: EnvironmentFiles())
    }

    init(_ bytes: [UInt8], path: String, rules: StackRules, files: EnvironmentFiles) throws(BuildFailure) {
        let fields = AuthorFields(file: path, path: "", node: try Self.tree(bytes, path))
        guard fields.node.mapping != nil else {
            throw fields.invalid(fields.node.location, "a funko.yml is a mapping with the key name")
        }
        let name = try Self.name(fields)
        let folder = path.split(separator: "/").dropLast().joined(separator: "/")
        var function = StackFunction(
            name: name, runtime: try Self.runtime(fields, rules), handler: folder, image: name)
        function.options = try Self.options(fields)
        var running = RunningFields(rules: rules)
        try running.read(fields, into: &function, files: files)
        function.port = Self.port
        function.health = Self.health(function.health)
        for entry in fields.node.mapping?.entries ?? []
        where !Self.keys.contains(entry.key) && !RunningFields.keys.contains(entry.key) {
            if fields.something(entry.key) != nil { running.ignore("\(path): \(entry.key)", entry.value.location) }
        }
        self.function = function
        ignored = running.ignored
    }

    private static let keys: Set<String> = ["name", "runtime", "options"]

    private static func tree(_ bytes: [UInt8], _ path: String) throws(BuildFailure) -> YAMLNode {
        do {
            return try YAMLReader().parse(bytes)
        } catch {
            throw BuildFailure(.stackInvalid, "\(path) \(error)")
        }
    }

    /// The environment files that a funko names, as written.
    static func environmentFiles(_ bytes: [UInt8], path: String) throws(BuildFailure) -> [String] {
        (try tree(bytes, path)["environment_file"]?.elements ?? []).compactMap(\.text)
    }

    /// FaaSO's names are letters and digits of any case; Kubernetes' have no capitals.
    private static func name(_ fields: AuthorFields) throws(BuildFailure) -> String {
        guard let text = try fields.text("name"), !text.isEmpty else {
            throw fields.invalid("name", "name is missing")
        }
        let name = text.utf8.allSatisfy(ASCII.isAlphanumeric) ? text.lowercased() : text
        guard DNSName.isLabel(name) else {
            throw fields.invalid(
                "name",
                "'\(text.prefix(80))' is no name for a function: use up to 63 letters and digits, or small letters, digits "
                    + "and '-' with a letter or digit at both ends")
        }
        return name
    }

    private static func runtime(_ fields: AuthorFields, _ rules: StackRules) throws(BuildFailure) -> String {
        let text = try fields.text("runtime").flatMap { $0.isEmpty ? nil : $0 }
        if let runtime = rules.runtime(text ?? StackRules.dockerfileRuntime) { return runtime }
        throw BuildFailure(
            .runtimeUnknown,
            "\(fields.file) \(fields.location("runtime")): "
                + (text.map { "runtime '\($0.prefix(80))' is not known" } ?? "runtime is missing")
                + "; known: \(rules.knownRuntimes)")
    }

    /// The health check of a funko, with what its annotations change.
    private static func health(_ annotated: FunctionHealth?) -> FunctionHealth {
        var health = annotated ?? FunctionHealth()
        health.path = health.path ?? healthPath
        return health
    }

    private static func options(_ fields: AuthorFields) throws(BuildFailure) -> [String: RuntimeOption] {
        guard let node = fields.something("options") else { return [:] }
        guard let entries = node.mapping?.entries else {
            throw fields.invalid("options", "options must be a mapping of texts and lists of texts")
        }
        guard entries.count <= optionsMaximum else {
            throw fields.invalid(
                "options", "options has \(entries.count) entries; at most \(optionsMaximum) are allowed")
        }
        let options = AuthorFields(file: fields.file, path: "options", node: node)
        var result: [String: RuntimeOption] = [:]
        for entry in entries {
            switch entry.value.content {
            case .scalar: result[entry.key] = .text(entry.value.text ?? "")
            case .sequence: result[entry.key] = .list(try options.list(entry.key, of: "texts").map(\.text))
            case .mapping:
                throw fields.invalid(
                    entry.value.location, "options.\(entry.key) must be a text or a list of texts")
            }
        }
        return result
    }
}
