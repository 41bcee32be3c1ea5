import Commands
import YAML

/// What a folder says in its `.farebox.yml`: what somebody would type again and again.
///
/// What is typed counts more, and variables of the environment count less.
struct FolderSettings: Sendable, Hashable {
    /// The namespace of the functions.
    var namespace: String?
    /// Where images go: a registry with a path, as `registry.example.com/alice`.
    var registry: String?
    /// The rule for tags: see ``ImageTag``.
    var tag: String?
    /// The URL of a builder.
    var builder: String?
    /// The file with what builds are signed with.
    var payloadSecret: String?
    /// The stack file.
    var stack: String?
    /// A folder with runtimes.
    var runtimes: String?

    /// The file's name.
    static let fileName = ".farebox.yml"
    /// The file may not be larger.
    static let bytesMaximum = 64 << 10

    /// Settings that say nothing.
    init() {}

    /// Reads the file.
    ///
    /// - Throws: `CommandFailure` with line and column; also for a key that is not known, so that none is misspelt in vain.
    init(_ bytes: [UInt8], path: String = fileName) throws(CommandFailure) {
        guard bytes.count <= Self.bytesMaximum else {
            throw CommandFailure(.failed, "\(path) has more than \(Self.bytesMaximum) bytes")
        }
        let root: YAMLNode
        do {
            root = try YAMLReader().parse(bytes)
        } catch {
            throw CommandFailure(.failed, "\(path) \(error)")
        }
        if case .scalar = root.content, root.text?.isEmpty != false { return }
        guard let entries = root.mapping?.entries else {
            throw CommandFailure(.failed, "\(path) \(root.location): the file must be a mapping")
        }
        for entry in entries {
            guard Self.keys.contains(entry.key) else {
                throw CommandFailure(
                    .failed, "\(path) \(entry.keyLocation): '\(entry.key.prefix(80))' is not known",
                    advice: "use: " + Self.keys.joined(separator: ", "))
            }
            guard case .scalar = entry.value.content else {
                throw CommandFailure(.failed, "\(path) \(entry.value.location): \(entry.key) must be a text")
            }
            set(entry.key, entry.value.text.flatMap { $0.isEmpty ? nil : $0 })
        }
    }

    /// What the file may set.
    static let keys = ["builder", "namespace", "payloadSecret", "registry", "runtimes", "stack", "tag"]

    private mutating func set(_ key: String, _ value: String?) {
        switch key {
        case "builder": builder = value
        case "namespace": namespace = value
        case "payloadSecret": payloadSecret = value
        case "registry": registry = value
        case "runtimes": runtimes = value
        case "stack": stack = value
        default: tag = value
        }
    }
}
