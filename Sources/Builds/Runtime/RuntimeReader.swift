/// Makes runtimes of what a source holds: finds them, checks them, and says what is wrong with those that are none.
struct RuntimeReader {
    let limits: RuntimeLimits

    /// Links in a row that are followed.
    private static let linksMaximum = 8

    init(limits: RuntimeLimits = RuntimeLimits()) { self.limits = limits }

    /// The runtimes of a source, and what could not be used.
    ///
    /// They are the folders at `path` that hold a `template.yml` or a `Dockerfile`; without a path, those in `template`
    /// when there is such a folder, as repositories of OpenFaaS templates have it. When `path` is a runtime itself, it is
    /// the only one and has the folder's name.
    ///
    /// - Parameters:
    ///   - items: Everything the source holds.
    ///   - path: The folder to look in, from the source's root; empty for the root.
    ///   - source: Where it came from, for people.
    func runtimes(
        in items: [RuntimeItem], path: String, source: String
    ) -> FoundRuntimes {
        var below = Self.items(items, below: path)
        if path.isEmpty, !Self.isRuntime(below) {
            let conventional = Self.items(items, below: Runtime.sampleFolder)
            if !conventional.isEmpty { below = conventional }
        }
        guard !Self.isRuntime(below) else {
            guard let name = path.split(separator: "/").last.map(String.init) else {
                return FoundRuntimes(
                    runtimes: [],
                    problems: [RuntimeError(source, "its root is a runtime, which has no name; put it into a folder")])
            }
            return collect([(name, below)], source)
        }
        var folders: [String: [RuntimeItem]] = [:]
        for item in below {
            guard let slash = item.path.firstIndex(of: "/") else { continue }
            let rest = String(item.path[item.path.index(after: slash)...])
            folders[String(item.path[..<slash]), default: []].append(RuntimeItem(path: rest, content: item.content))
        }
        let found = folders.filter { Self.isRuntime($0.value) }.sorted { $0.key < $1.key }
        guard found.count <= limits.runtimesMaximum else {
            return FoundRuntimes(
                runtimes: [], problems: [RuntimeError(source, "it holds more than \(limits.runtimesMaximum) runtimes")])
        }
        return collect(found.map { ($0.key, $0.value) }, source)
    }

    private func collect(
        _ folders: [(name: String, items: [RuntimeItem])], _ source: String
    ) -> FoundRuntimes {
        var runtimes: [Runtime] = []
        var problems: [RuntimeError] = []
        for (name, items) in folders {
            do {
                runtimes.append(try runtime(name, items, source: source))
            } catch {
                problems.append(error)
            }
        }
        return FoundRuntimes(runtimes: runtimes, problems: problems)
    }

    /// One runtime.
    ///
    /// - Parameters:
    ///   - name: What stacks will call it.
    ///   - items: What its folder holds.
    ///   - source: Where it came from, for people.
    /// - Throws: ``RuntimeError``.
    func runtime(_ name: String, _ items: [RuntimeItem], source: String) throws(RuntimeError) -> Runtime {
        let shown = String(name.prefix(80))
        guard Self.isName(name) else {
            throw RuntimeError(
                shown,
                "the name must have up to 63 lower-case letters, digits, '-', '_' and '.', begin with a letter or digit, and "
                    + "not be '\(RuntimeCatalog.dockerfile)'")
        }
        try checkSizes(items, shown)
        let files = try Self.files(items, shown)
        func bytes(_ path: String) -> [UInt8]? { files.first { $0.path == path }?.bytes }
        let plain = bytes(Self.dockerfile)
        let template = bytes(Self.dockerfile + RuntimeFile.templateSuffix)
        if let manifest = bytes(RuntimeManifest.fileName) {
            guard plain != nil else {
                throw RuntimeError(shown, "it has a \(RuntimeManifest.fileName) but no Dockerfile")
            }
            let kind = Runtime.Kind.openFaaS(try RuntimeManifest(manifest, runtime: shown))
            return Runtime(name: name, kind: kind, files: files, source: source)
        }
        guard plain != nil || template != nil else {
            throw RuntimeError(shown, "it has neither a Dockerfile nor a Dockerfile.j2")
        }
        try Self.checkTemplates(files, shown)
        return Runtime(name: name, kind: .faaso, files: files, source: source)
    }

    private static let dockerfile = "Dockerfile"

    /// Tells whether stacks may call a runtime so.
    static func isName(_ name: String) -> Bool {
        let bytes = name.utf8
        guard (1...63).contains(bytes.count), name != RuntimeCatalog.dockerfile, let first = bytes.first else {
            return false
        }
        return ASCII.isLowerAlphanumeric(first)
            && bytes.allSatisfy { ASCII.isLowerAlphanumeric($0) || "-_.".utf8.contains($0) }
    }

    private static func isRuntime(_ items: [RuntimeItem]) -> Bool {
        let marks = [RuntimeManifest.fileName, dockerfile, dockerfile + RuntimeFile.templateSuffix]
        return items.contains { marks.contains($0.path) }
    }

    private static func items(_ items: [RuntimeItem], below folder: String) -> [RuntimeItem] {
        guard !folder.isEmpty else { return items }
        let prefix = folder + "/"
        return items.filter { $0.path.hasPrefix(prefix) }
            .map { RuntimeItem(path: String($0.path.dropFirst(prefix.count)), content: $0.content) }
    }

    private func checkSizes(_ items: [RuntimeItem], _ name: String) throws(RuntimeError) {
        guard items.count <= limits.filesMaximum else {
            throw RuntimeError(name, "it has \(items.count) files; at most \(limits.filesMaximum) are allowed")
        }
        guard items.reduce(0, { $0 + $1.sizeBytes }) <= limits.bytesMaximum else {
            throw RuntimeError(name, "its files have more than \(limits.bytesMaximum >> 10) KiB")
        }
        for item in items {
            guard item.path.utf8.count <= limits.pathBytesMaximum,
                item.path.split(separator: "/").count <= limits.depthMaximum
            else { throw RuntimeError(name, "a path in it is too long or too deep: \(item.path.prefix(80))…") }
        }
    }

    /// The files, links followed as faas-cli follows them; each link must lead to a file of the same runtime.
    private static func files(_ items: [RuntimeItem], _ name: String) throws(RuntimeError) -> [RuntimeFile] {
        var contents: [String: RuntimeItem.Content] = [:]
        for item in items { contents[item.path] = item.content }
        var files: [RuntimeFile] = []
        for (path, content) in contents {
            var (target, found) = (path, content)
            var hops = 0
            while case .link(let text) = found {
                hops += 1
                guard hops <= linksMaximum, let next = resolved(text, at: target), let content = contents[next] else {
                    throw RuntimeError(name, "the link \(path) does not lead to a file inside the runtime")
                }
                (target, found) = (next, content)
            }
            guard case .file(let bytes, let isExecutable) = found else { continue }
            files.append(RuntimeFile(path: path, bytes: bytes, isExecutable: isExecutable))
        }
        return files
    }

    /// Where a link leads, from the runtime's root; nil when it leads out.
    private static func resolved(_ target: String, at path: String) -> String? {
        guard !target.isEmpty, !target.hasPrefix("/") else { return nil }
        var parts = path.split(separator: "/").dropLast().map(String.init)
        for part in target.split(separator: "/") where part != "." {
            if part != ".." {
                parts.append(String(part))
            } else if parts.popLast() == nil {
                return nil
            }
        }
        return parts.joined(separator: "/")
    }

    /// Faults of a template are told when the runtime is read, not when somebody's function is built.
    private static func checkTemplates(_ files: [RuntimeFile], _ name: String) throws(RuntimeError) {
        let paths = Set(files.map(\.path))
        for file in files where file.isTemplate && !file.path.hasPrefix(Runtime.sampleFolder + "/") {
            let rendered = String(file.path.dropLast(RuntimeFile.templateSuffix.count))
            guard !paths.contains(rendered) else {
                throw RuntimeError(name, "it has both \(file.path) and \(rendered)")
            }
            do {
                _ = try JinjaTemplate(file.bytes)
            } catch {
                throw RuntimeError(name, "\(file.path) \(error)")
            }
        }
    }
}
