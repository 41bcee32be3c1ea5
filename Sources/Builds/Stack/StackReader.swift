import CRDs
import KubernetesTypes
import YAML

/// Turns the tree of a stack file into functions, naming the place of whatever is wrong.
struct StackReader {
    let name: String
    let rules: StackRules
    private(set) var ignored: [String] = []

    init(name: String, rules: StackRules) {
        self.name = name
        self.rules = rules
    }

    /// Keys of a function that faas-cli knows and that do nothing here.
    private static let inert = [
        "fprocess", "environment_file", "skip_build", "constraints", "build_options", "build_secrets", "namespace",
        "platforms",
    ]

    mutating func read(_ bytes: [UInt8]) throws(BuildFailure) -> [StackFunction] {
        guard bytes.count <= rules.fileBytesMaximum else {
            throw BuildFailure(.stackInvalid, "\(name) has more than \(rules.fileBytesMaximum) bytes")
        }
        let root: YAMLNode
        do {
            root = try YAMLReader().parse(bytes)
        } catch {
            throw BuildFailure(.stackInvalid, "\(name): \(error)")
        }
        guard root.mapping != nil else { throw invalid(root, "a stack file is a mapping with the key functions") }
        if let version = root["version"], let text = version.text, text != "", text != "1.0", text != "1" {
            throw invalid(version, "version must be 1.0")
        }
        try checkProvider(root["provider"])
        if let configuration = root["configuration"], configuration.mapping?.entries.isEmpty == false {
            ignore("configuration", configuration)
        }
        guard let functions = root["functions"] else { throw invalid(root, "functions is missing") }
        guard let mapping = functions.mapping, !mapping.entries.isEmpty else {
            throw invalid(functions, "functions must name at least one function")
        }
        guard mapping.entries.count <= rules.functionsMaximum else {
            throw invalid(
                functions,
                "functions has \(mapping.entries.count) entries; at most \(rules.functionsMaximum) are allowed")
        }
        var result: [StackFunction] = []
        for entry in mapping.entries { result.append(try function(entry)) }
        return result
    }

    private func checkProvider(_ provider: YAMLNode?) throws(BuildFailure) {
        guard let provider else { return }
        guard provider.mapping != nil else { throw invalid(provider, "provider must be a mapping with a name") }
        guard let name = provider["name"] else { return }
        guard name.text == "openfaas" else { throw invalid(name, "provider.name must be openfaas") }
    }

    private mutating func function(_ entry: YAMLMapping.Entry) throws(BuildFailure) -> StackFunction {
        let name = entry.key
        guard DNSName.isLabel(name) else {
            throw invalid(
                entry.keyLocation,
                "'\(name.prefix(80))' is no name for a function: use up to 63 lower-case letters, digits and '-', with a "
                    + "letter or digit at both ends")
        }
        let path = "functions." + name
        let node = entry.value
        guard node.mapping != nil else { throw invalid(node, "\(path) must be a mapping") }
        let runtime = try runtime(node, path)
        guard let handlerNode = node["handler"], let handler = handlerNode.text else {
            throw invalid(node["handler"] ?? node, "\(path).handler must name the folder with the function's code")
        }
        guard let folder = Self.folder(handler) else {
            throw invalid(handlerNode, "\(path).handler must be a path inside the repository, without '..'")
        }
        let image = try text(node, "image", path) ?? name
        var function = StackFunction(name: name, runtime: runtime, handler: folder, image: image.isEmpty ? name : image)
        function.buildArguments = try map(node, "build_args", path)
        function.environment = try map(node, "environment", path)
        function.secrets = try secrets(node, path)
        function.labels = try allowed(node, "labels", path, rules.allowsLabel)
        function.annotations = try allowed(node, "annotations", path, rules.allowsAnnotation)
        function.resources = try resources(node, path)
        function.readOnlyRootFilesystem = try boolean(node, "readonly_root_filesystem", path)
        for key in Self.inert {
            guard let value = node[key], Self.isSomething(value) else { continue }
            ignore("\(path).\(key)", value)
        }
        try check(function, node)
        return function
    }

    /// The rules that every Function has; a stack is told about them before anything is built.
    private func check(_ function: StackFunction, _ node: YAMLNode) throws(BuildFailure) {
        let spec = function.specification(
            owner: OwnerName("owner"), image: "image", source: FunctionSource(runtime: function.runtime))
        let violations = Function(metadata: ObjectMeta(name: function.name), spec: spec).validate()
        guard let first = violations.first else { return }
        let path = first.path.hasPrefix("spec.") ? first.path.dropFirst("spec.".count) : first.path[...]
        throw invalid(node, "functions.\(function.name): \(path): \(first.message)")
    }

    private func runtime(_ node: YAMLNode, _ path: String) throws(BuildFailure) -> String {
        guard let language = node["lang"], let text = language.text, !text.isEmpty else {
            throw invalid(node["lang"] ?? node, "\(path).lang is missing; known: \(Self.known)")
        }
        guard StackFile.runtimes.contains(text.lowercased()) else {
            throw BuildFailure(
                .runtimeUnknown,
                "\(name) \(language.location): \(path).lang: '\(text.prefix(80))' is not known; known: \(Self.known)")
        }
        return text.lowercased()
    }

    private static var known: String { StackFile.runtimes.joined(separator: ", ") }

    /// A folder of the repository: without `./`, trailing slashes and `..`; nil when it leads outside.
    static func folder(_ text: String) -> String? {
        guard !text.isEmpty, !text.hasPrefix("/"), !text.contains("\\"), !text.contains("\0"),
            text.utf8.count <= 1024
        else { return nil }
        let parts = text.split(separator: "/").filter { $0 != "." }
        return parts.contains("..") ? nil : parts.joined(separator: "/")
    }

    private func secrets(_ node: YAMLNode, _ path: String) throws(BuildFailure) -> [String] {
        guard let list = node["secrets"], Self.isSomething(list) else { return [] }
        guard let elements = list.elements else { throw invalid(list, "\(path).secrets must be a list of names") }
        var names: [String] = []
        for element in elements {
            guard let name = element.text, DNSName.isSubdomain(name) else {
                throw invalid(element, "\(path).secrets: this is no name for a Secret")
            }
            guard !names.contains(name) else { throw invalid(element, "\(path).secrets names \(name) twice") }
            names.append(name)
        }
        return names
    }

    private mutating func allowed(
        _ node: YAMLNode, _ key: String, _ path: String, _ isAllowed: (String) -> Bool
    ) throws(BuildFailure) -> [String: String] {
        let all = try map(node, key, path)
        for name in all.keys.sorted() where !isAllowed(name) {
            if let value = node[key]?[name] { ignore("\(path).\(key).\(name)", value) }
        }
        return all.filter { isAllowed($0.key) }
    }

    private func resources(_ node: YAMLNode, _ path: String) throws(BuildFailure) -> FunctionResources? {
        let limits = try amounts(node, "limits", path)
        let requests = try amounts(node, "requests", path)
        return limits == nil && requests == nil ? nil : FunctionResources(requests: requests, limits: limits)
    }

    private func amounts(
        _ node: YAMLNode, _ key: String, _ path: String
    ) throws(BuildFailure) -> FunctionResourceAmounts? {
        guard let value = node[key], Self.isSomething(value) else { return nil }
        guard value.mapping != nil else { throw invalid(value, "\(path).\(key) must be a mapping with cpu and memory") }
        return FunctionResourceAmounts(
            cpu: try quantity(value, "cpu", "\(path).\(key)"), memory: try quantity(value, "memory", "\(path).\(key)"))
    }

    private func quantity(_ node: YAMLNode, _ key: String, _ path: String) throws(BuildFailure) -> Quantity? {
        guard let value = node[key], let text = value.text, !text.isEmpty else { return nil }
        guard let quantity = Quantity(text) else {
            throw invalid(value, "\(path).\(key) must be a quantity such as \(key == "cpu" ? "500m" : "128Mi")")
        }
        return quantity
    }

    // MARK: - Scalars

    /// Plain numbers and Booleans count as the text they were written as, as faas-cli has it.
    private func text(_ node: YAMLNode, _ key: String, _ path: String) throws(BuildFailure) -> String? {
        guard let value = node[key] else { return nil }
        guard case .scalar = value.content else { throw invalid(value, "\(path).\(key) must be a text") }
        return value.text
    }

    private func boolean(_ node: YAMLNode, _ key: String, _ path: String) throws(BuildFailure) -> Bool? {
        guard let text = try text(node, key, path) else { return nil }
        switch text {
        case "true", "True", "TRUE": return true
        case "false", "False", "FALSE": return false
        default: throw invalid(node[key] ?? node, "\(path).\(key) must be true or false")
        }
    }

    private func map(_ node: YAMLNode, _ key: String, _ path: String) throws(BuildFailure) -> [String: String] {
        guard let value = node[key], Self.isSomething(value) else { return [:] }
        guard let mapping = value.mapping else { throw invalid(value, "\(path).\(key) must be a mapping of texts") }
        var result: [String: String] = [:]
        for entry in mapping.entries {
            guard case .scalar = entry.value.content else {
                throw invalid(entry.value, "\(path).\(key).\(entry.key) must be a text")
            }
            result[entry.key] = entry.value.text ?? ""
        }
        return result
    }

    /// Null, an empty list and an empty mapping say nothing.
    private static func isSomething(_ node: YAMLNode) -> Bool {
        switch node.content {
        case .scalar: node.text?.isEmpty == false
        case .sequence(let elements): !elements.isEmpty
        case .mapping(let mapping): !mapping.entries.isEmpty
        }
    }

    private mutating func ignore(_ path: String, _ node: YAMLNode) {
        ignored.append("\(path) (\(node.location))")
    }

    private func invalid(_ node: YAMLNode, _ message: String) -> BuildFailure { invalid(node.location, message) }

    private func invalid(_ location: YAMLLocation, _ message: String) -> BuildFailure {
        BuildFailure(.stackInvalid, "\(name) \(location): \(message)")
    }
}
