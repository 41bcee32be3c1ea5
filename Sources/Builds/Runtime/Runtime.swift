public import Cryptography

/// What turns a folder with a handler into a build context: an OpenFaaS template or a FaaSO runtime.
///
/// A value: whoever holds one is not touched by a later change of the catalog.
public struct Runtime: Sendable, Hashable {
    /// How handler and runtime come together.
    public enum Kind: Sendable, Hashable {
        /// A template as faas-cli knows it: copied whole, the handler below its handler folder.
        case openFaaS(RuntimeManifest)
        /// A runtime as FaaSO knows it: files ending in `.j2` are rendered, and the handler's files win.
        case faaso
    }

    /// What a stack's `lang` or a funko's `runtime` says.
    public let name: String
    /// How handler and runtime come together.
    public let kind: Kind
    /// Its files in the order of their paths' bytes.
    public let files: [RuntimeFile]
    /// SHA-256 of paths, modes and contents: equal digests mean equal runtimes.
    public let digest: SHA256Digest
    /// Where it came from, for people.
    public let source: String

    /// The folder of a FaaSO runtime with what a new function starts from; it is no part of a build.
    public static let sampleFolder = "template"

    /// Makes a runtime of files that are known to be good; see ``RuntimeReader``.
    init(name: String, kind: Kind, files: [RuntimeFile], source: String) {
        self.name = name
        self.kind = kind
        self.files = files.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        self.source = source
        let hasher = SHA256Hasher()
        for file in self.files {
            // Lengths in front: no two different lists of files look the same.
            hasher.update(Array("\(file.isExecutable ? "x" : "-") \(file.path.utf8.count) \(file.bytes.count)\n".utf8))
            hasher.update(Array(file.path.utf8))
            hasher.update(file.bytes)
        }
        digest = hasher.finalize()
    }

    /// What its `template.yml` says; nil for a FaaSO runtime.
    public var manifest: RuntimeManifest? {
        if case .openFaaS(let manifest) = kind { manifest } else { nil }
    }

    /// Where the handler's files go, from the context's root; empty for the root.
    var handlerFolder: String {
        if case .openFaaS(let manifest) = kind { manifest.handlerFolder } else { "" }
    }

    /// What `farebox new --list` says about it: the first line of its README without the `#`; nil when it has none.
    public var summary: String? {
        guard let readme = files.first(where: { $0.path.lowercased() == "readme.md" }),
            let line = String(decoding: readme.bytes.prefix(Self.summaryBytesMaximum), as: UTF8.self)
                .split(whereSeparator: \.isNewline).first
        else { return nil }
        let words = line.drop { $0 == "#" || $0.isWhitespace }
        return words.isEmpty ? nil : String(words)
    }

    private static let summaryBytesMaximum = 256
}
