import CRDs
import YAML

/// What the `template.yml` of an OpenFaaS template says.
public struct RuntimeManifest: Sendable, Hashable {
    /// A named set of packages that an author may ask for with `build_options`.
    public struct BuildOption: Sendable, Hashable {
        /// What authors write.
        public let name: String
        /// What `ADDITIONAL_PACKAGE` gets.
        public let packages: [String]

        /// Makes an option.
        public init(name: String, packages: [String]) {
            self.name = name
            self.packages = packages
        }
    }

    /// The language, for people.
    public var language: String
    /// The process that the watchdog starts; nil when the template names none.
    public var process: String?
    /// What authors may ask for.
    public var buildOptions: [BuildOption]
    /// Where the handler's files go, from the context's root; empty for the root itself.
    public var handlerFolder: String
    /// What to tell somebody who starts a function of it.
    public var welcomeMessage: String?

    /// The file's name.
    public static let fileName = "template.yml"
    /// Where the handler's files go when the file does not say.
    public static let handlerFolderDefault = "function"
    /// The build argument with the packages of the chosen options.
    public static let packagesArgument = "ADDITIONAL_PACKAGE"

    private static let bytesMaximum = 64 << 10

    /// Makes a manifest.
    public init(
        language: String, process: String? = nil, buildOptions: [BuildOption] = [],
        handlerFolder: String = handlerFolderDefault, welcomeMessage: String? = nil
    ) {
        self.language = language
        self.process = process
        self.buildOptions = buildOptions
        self.handlerFolder = handlerFolder
        self.welcomeMessage = welcomeMessage
    }

    /// Reads a `template.yml`; keys that are not known are left alone, as faas-cli leaves them.
    ///
    /// - Throws: ``RuntimeError`` with line and column.
    init(_ bytes: [UInt8], runtime: String) throws(RuntimeError) {
        guard bytes.count <= Self.bytesMaximum else {
            throw RuntimeError(runtime, "\(Self.fileName) has more than \(Self.bytesMaximum) bytes")
        }
        let root: YAMLNode
        do {
            root = try YAMLReader().parse(bytes)
        } catch {
            throw RuntimeError(runtime, "\(Self.fileName): \(error)")
        }
        guard root.mapping != nil else { throw RuntimeError(runtime, "\(Self.fileName) must be a mapping") }
        func invalid(_ node: YAMLNode, _ message: String) -> RuntimeError {
            RuntimeError(runtime, "\(Self.fileName) \(node.location): \(message)")
        }
        func text(_ key: String) throws(RuntimeError) -> String? {
            guard let node = root[key] else { return nil }
            guard case .scalar = node.content else { throw invalid(node, "\(key) must be a text") }
            return node.text.flatMap { $0.isEmpty ? nil : $0 }
        }
        language = try text("language") ?? runtime
        process = try text("fprocess")
        welcomeMessage = try text("welcome_message")
        handlerFolder = Self.handlerFolderDefault
        if let folder = try text("handler_folder"), let node = root["handler_folder"] {
            guard let checked = AuthorFields.treePath(folder) else {
                throw invalid(node, "handler_folder must be a path inside the runtime, without '..'")
            }
            handlerFolder = checked
        }
        buildOptions = []
        guard let options = root["build_options"], options.text?.isEmpty != true else { return }
        guard let elements = options.elements else { throw invalid(options, "build_options must be a list") }
        for element in elements {
            guard let name = element["name"]?.text, !name.isEmpty else {
                throw invalid(element, "a build option needs a name")
            }
            let packages = (element["packages"]?.elements ?? []).compactMap(\.text).filter { !$0.isEmpty }
            buildOptions.append(BuildOption(name: name, packages: packages))
        }
    }
}
