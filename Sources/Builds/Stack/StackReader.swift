import CRDs
import YAML

/// Turns the text of a stack file into functions, naming the place of whatever is wrong.
struct StackReader {
    private let name: String
    private let rules: StackRules
    private let root: YAMLNode
    private var running: RunningFields

    /// Replaces variables, reads the YAML and looks at everything but the functions themselves.
    init(
        _ bytes: [UInt8], name: String, rules: StackRules, variables: [String: String]
    ) throws(BuildFailure) {
        self.name = name
        self.rules = rules
        running = RunningFields(rules: rules)
        root = try Self.tree(bytes, name, rules, variables)
        let fields = AuthorFields(file: name, path: "", node: root)
        guard root.mapping != nil else {
            throw fields.invalid(root.location, "a stack file is a mapping with the key functions")
        }
        if let version = try fields.text("version"), !["", "1.0", "1"].contains(version) {
            throw fields.invalid("version", "version must be 1.0")
        }
        let provider = try fields.fields("provider", with: "a name")
        if let provider, let name = provider.node["name"], name.text != "openfaas" {
            throw provider.invalid("name", "provider.name must be openfaas")
        }
    }

    private static func tree(
        _ bytes: [UInt8], _ name: String, _ rules: StackRules, _ variables: [String: String]
    ) throws(BuildFailure) -> YAMLNode {
        guard bytes.count <= rules.fileBytesMaximum else {
            throw BuildFailure(.stackInvalid, "\(name) has more than \(rules.fileBytesMaximum) bytes")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw BuildFailure(.stackInvalid, "\(name) line 1: the file is not UTF-8")
        }
        let expanded: String
        do {
            expanded = try EnvironmentSubstitution.expand(
                text, variables: variables, bytesMaximum: rules.fileBytesMaximum)
        } catch {
            throw BuildFailure(.stackInvalid, "\(name) \(error.location): ${…}: \(error.reason)")
        }
        do {
            return try YAMLReader().parse(Array(expanded.utf8))
        } catch {
            throw BuildFailure(.stackInvalid, "\(name) \(error)")
        }
    }

    /// What is set and not acted on, each with its place.
    var ignored: [String] { running.ignored }

    /// The environment files that any function names, as written.
    var environmentFiles: [String] {
        let functions = root["functions"]?.mapping?.entries ?? []
        return functions.flatMap { $0.value["environment_file"]?.elements ?? [] }.compactMap(\.text)
    }

    /// Reads the functions.
    ///
    /// - Parameters:
    ///   - files: What ``environmentFiles`` lead to.
    ///   - exists: Whether a file or folder is in the commit.
    mutating func functions(
        files: EnvironmentFiles, exists: (String) -> Bool
    ) throws(BuildFailure) -> [StackFunction] {
        let fields = AuthorFields(file: name, path: "", node: root)
        let extraPaths = try configuration(exists)
        guard root["functions"] != nil else { throw fields.invalid("functions", "functions is missing") }
        guard let entries = root["functions"]?.mapping?.entries, !entries.isEmpty else {
            throw fields.invalid("functions", "functions must name at least one function")
        }
        guard entries.count <= rules.functionsMaximum else {
            throw fields.invalid(
                "functions",
                "functions has \(entries.count) entries; at most \(rules.functionsMaximum) are allowed")
        }
        guard environmentFiles.count <= rules.environmentFilesMaximum else {
            throw fields.invalid(
                "functions",
                "the functions name \(environmentFiles.count) environment files; at most "
                    + "\(rules.environmentFilesMaximum) are allowed")
        }
        var result: [StackFunction] = []
        for entry in entries {
            var function = try function(entry, files)
            if !function.skipsBuild { function.extraPaths = extraPaths }
            result.append(function)
        }
        return result
    }

    /// The paths of `configuration.copy`.
    private mutating func configuration(_ exists: (String) -> Bool) throws(BuildFailure) -> [String] {
        let root = AuthorFields(file: name, path: "", node: root)
        guard let fields = try root.fields("configuration", with: "copy") else { return [] }
        var paths: [String] = []
        for (text, location) in try fields.list("copy", of: "paths") {
            guard let path = AuthorFields.treePath(text), !path.isEmpty else {
                throw fields.invalid(
                    location, "configuration.copy must name files and folders inside the repository, without '..'")
            }
            guard exists(path) else {
                throw fields.invalid(location, "configuration.copy: \(path) is not in the commit")
            }
            if !paths.contains(path) { paths.append(path) }
        }
        for entry in fields.node.mapping?.entries ?? [] where entry.key != "copy" {
            let reason = entry.key == "templates" ? "runtimes are the administrator's" : "nothing acts on it"
            if fields.something(entry.key) != nil {
                running.ignore("configuration." + entry.key, entry.value.location, reason)
            }
        }
        return paths
    }

    // MARK: - One function

    /// Keys of a function that faas-cli knows and that do nothing here, with the reason where there is more to say.
    private static let inert: KeyValuePairs<String, String?> = [
        "constraints": "the administrator decides where functions run", "build_secrets": nil,
        "namespace": "functions are in the Repository's namespace", "platforms": nil, "registry_auth": nil,
    ]

    private mutating func function(
        _ entry: YAMLMapping.Entry, _ files: EnvironmentFiles
    ) throws(BuildFailure) -> StackFunction {
        let fields = AuthorFields(file: name, path: "functions." + entry.key, node: entry.value)
        guard DNSName.isLabel(entry.key) else {
            throw fields.invalid(
                entry.keyLocation,
                "'\(entry.key.prefix(80))' is no name for a function: use up to 63 lower-case letters, digits and '-', "
                    + "with a letter or digit at both ends")
        }
        guard entry.value.mapping != nil else {
            throw fields.invalid(entry.value.location, "\(fields.path) must be a mapping")
        }
        var function =
            try fields.boolean("skip_build") == true
            ? try finished(entry.key, fields) : try built(entry.key, fields)
        function.process = try fields.text("fprocess").flatMap { $0.isEmpty ? nil : $0 }
        try running.read(fields, into: &function, files: files)
        for (key, reason) in Self.inert {
            if let value = fields.something(key) { running.ignore(fields.name(key), value.location, reason) }
        }
        return function
    }

    /// A function that is built from a folder.
    private func built(_ name: String, _ fields: AuthorFields) throws(BuildFailure) -> StackFunction {
        let runtime = try runtime(fields)
        guard let handler = fields.node["handler"]?.text else {
            throw fields.invalid("handler", "\(fields.path).handler must name the folder with the function's code")
        }
        guard let folder = AuthorFields.treePath(handler) else {
            throw fields.invalid(
                "handler", "\(fields.path).handler must be a path inside the repository, without '..'")
        }
        let image = try fields.text("image") ?? ""
        var function = StackFunction(
            name: name, runtime: runtime, handler: folder, image: image.isEmpty ? name : image)
        function.buildArguments = try fields.map("build_args")
        function.buildOptions = try fields.list("build_options", of: "names").map(\.text)
        return function
    }

    /// A function whose image is there already.
    private func finished(_ name: String, _ fields: AuthorFields) throws(BuildFailure) -> StackFunction {
        let image = try fields.text("image") ?? ""
        guard let reference = try? ImageReference(parsing: image), image.hasPrefix(reference.registry + "/"),
            reference.tag != nil || reference.digest != nil
        else {
            throw fields.invalid(
                "image",
                "\(fields.path).image must be a full reference with registry and tag or digest, since skip_build is set"
            )
        }
        guard rules.allowsImage(image) else {
            let allowed = rules.allowedImages.isEmpty ? "none" : rules.allowedImages.joined(separator: ", ")
            throw fields.invalid(
                "image",
                "\(fields.path).image: skip_build runs an image that was built elsewhere, and this cluster does not allow "
                    + "\(image); allowed: \(allowed)")
        }
        var function = StackFunction(name: name, runtime: "", handler: "", image: image)
        function.skipsBuild = true
        return function
    }

    private func runtime(_ fields: AuthorFields) throws(BuildFailure) -> String {
        guard let text = fields.node["lang"]?.text, !text.isEmpty else {
            throw fields.invalid("lang", "\(fields.path).lang is missing; known: \(rules.knownRuntimes)")
        }
        guard let runtime = rules.runtime(text) else {
            throw BuildFailure(
                .runtimeUnknown,
                "\(name) \(fields.location("lang")): \(fields.path).lang: '\(text.prefix(80))' is not known; known: "
                    + rules.knownRuntimes)
        }
        return runtime
    }
}

extension StackRules {
    /// The runtime of that name, where Dockerfiles go by any case of letters; nil when there is none.
    func runtime(_ name: String) -> String? {
        if name.lowercased() == Self.dockerfileRuntime { return allowsDockerfile ? Self.dockerfileRuntime : nil }
        return runtimes.contains(name) ? name : nil
    }
}
