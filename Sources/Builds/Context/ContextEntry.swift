import CRDs

/// One file or link of a context, and where its content comes from.
struct ContextEntry: Sendable {
    enum Content: Sendable {
        case source(SourceEntry)
        case bytes([UInt8], isExecutable: Bool)
    }

    /// Its path inside the context.
    let name: String
    /// The folder of the context that a link may not lead out of; empty for the context's root.
    let base: String
    let content: Content

    /// A link's target may not be longer (PATH_MAX of Linux).
    private static let targetBytesMaximum = 4096

    init(_ entry: SourceEntry, name: String, base: String) {
        self.name = name
        self.base = base
        content = .source(entry)
    }

    init(_ file: RuntimeFile) {
        name = file.path
        base = ""
        content = .bytes(file.bytes, isExecutable: file.isExecutable)
    }

    /// The source's entry, when it comes from there.
    var source: SourceEntry? {
        if case .source(let entry) = content { entry } else { nil }
    }

    var sizeBytes: Int {
        switch content {
        case .source(let entry): entry.sizeBytes
        case .bytes(let bytes, _): bytes.count
        }
    }

    var isExecutable: Bool {
        switch content {
        case .source(let entry): entry.kind == .executable
        case .bytes(_, let isExecutable): isExecutable
        }
    }

    /// The folders it lies in: `a/b/c` lies in `a` and `a/b`.
    var folders: [String] {
        let parts = name.split(separator: "/").dropLast()
        return parts.indices.map { parts[...$0].joined(separator: "/") }
    }

    /// The target of a link, once it is sure that it stays inside its base.
    func checkedTarget(_ bytes: [UInt8]) throws(BuildFailure) -> String {
        let refusal = BuildFailure(
            .contextInvalid,
            "the link \(source?.path ?? name) leads out of the function's folder; put a copy in its place")
        guard let target = String(validating: bytes, as: UTF8.self), !target.isEmpty, !target.hasPrefix("/"),
            !target.contains("\0"), bytes.count <= Self.targetBytesMaximum
        else { throw refusal }
        let inside = base.isEmpty ? name : String(name.dropFirst(base.utf8.count + 1))
        var depth = inside.split(separator: "/").count - 1
        for part in target.split(separator: "/") where part != "." {
            depth += part == ".." ? -1 : 1
            guard depth >= 0 else { throw refusal }
        }
        return target
    }
}
