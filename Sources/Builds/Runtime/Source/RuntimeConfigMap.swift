public import KubernetesTypes

/// A runtime in a ConfigMap: a key is a file, and `..` in it stands for the slash that keys cannot have.
public enum RuntimeConfigMap {
    /// The label that makes a ConfigMap a runtime; its value is the runtime's name.
    public static let label = "farebox.dev/runtime"
    /// The annotation with the files that may be run, divided by commas, beside those that begin with `#!`.
    public static let executablesAnnotation = "farebox.dev/executables"

    /// Reads the runtime of a ConfigMap.
    ///
    /// - Parameters:
    ///   - map: A ConfigMap with ``label``.
    ///   - limits: How large it may be.
    /// - Throws: ``RuntimeError``.
    public static func runtime(
        of map: ConfigMap, limits: RuntimeLimits = RuntimeLimits()
    ) throws(RuntimeError) -> Runtime {
        let source = "ConfigMap \(map.key)"
        let name = map.metadata.labels[label] ?? ""
        let executables = Set(
            (map.metadata.annotations[executablesAnnotation] ?? "").split(separator: ",")
                .map { $0.filter { !$0.isWhitespace } })
        var files = map.data.mapValues { Array($0.utf8) }
        for (key, bytes) in map.binaryData { files[key] = bytes.bytes }
        var items: [RuntimeItem] = []
        for (key, bytes) in files {
            guard let path = path(of: key) else {
                throw RuntimeError(name.isEmpty ? source : name, "the key '\(key.prefix(80))' of \(source) is no path")
            }
            let isExecutable = bytes.starts(with: Array("#!".utf8)) || executables.contains(path)
            items.append(RuntimeItem(path: path, content: .file(bytes, isExecutable: isExecutable)))
        }
        return try RuntimeReader(limits: limits).runtime(name, items, source: source)
    }

    /// `function..handler.py` is `function/handler.py`, and `function...env` is `function/.env`.
    static func path(of key: String) -> String? {
        var parts: [String] = []
        var part = ""
        var rest = key[...]
        while let character = rest.first {
            if rest.hasPrefix(".."), !part.isEmpty {
                parts.append(part)
                part = ""
                rest = rest.dropFirst(2)
            } else {
                part.append(character)
                rest = rest.dropFirst()
            }
        }
        parts.append(part)
        return parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." && !$0.contains("/") }
            ? parts.joined(separator: "/") : nil
    }
}
