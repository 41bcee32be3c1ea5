import Glibc

extension TarWriter {
    /// Adds all that a directory holds, each level in the order of the names' bytes.
    ///
    /// Symbolic links are added as links and not followed. Sockets, devices and pipes are refused.
    ///
    /// - Parameters:
    ///   - directory: Its path on disk.
    ///   - prefix: Where it goes inside the archive; `.` for the root, which gets no entry of its own.
    ///   - isIncluded: Whether to add an entry, by its path relative to `directory`, and for a directory what it holds.
    /// - Throws: ``ArchiveError``, or what the sink throws.
    public mutating func addTree(
        _ directory: String, under prefix: String = ".", isIncluded: (_ relativePath: String) -> Bool = { _ in true }
    ) throws {
        let root = try ArchivePath(prefix)
        if !root.components.isEmpty { try addDirectory(root.text) }
        // What is left to add, the next one last; recursion would be as deep as the tree.
        var pending = try Self.children(of: directory, relativePath: "").reversed().map { $0 }
        while let relativePath = pending.popLast() {
            guard isIncluded(relativePath) else { continue }
            let source = directory + "/" + relativePath
            let path = root.components.isEmpty ? relativePath : root.text + "/" + relativePath
            switch try FileStatus(at: source).kind {
            case .file: try addFile(path, from: source)
            case .symbolicLink: try addSymbolicLink(path, target: Self.linkTarget(of: source))
            case .directory:
                try addDirectory(path)
                pending += try Self.children(of: source, relativePath: relativePath).reversed()
            case .other:
                throw ArchiveError.unsafeEntry(path: path, reason: "neither file, directory nor link")
            }
        }
    }

    /// The names in a directory in the order of their bytes, as paths relative to the tree.
    private static func children(of directory: String, relativePath: String) throws(ArchiveError) -> [String] {
        guard let stream = opendir(directory) else { throw .system(operation: "open", path: directory, code: errno) }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw .system(operation: "read", path: directory, code: errno) }
                break
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: pointer.pointee)) {
                    String(validatingCString: $0)
                }
            }
            guard let name else {
                throw .unsafeEntry(path: relativePath, reason: "holds a name that is not UTF-8")
            }
            if name != ".", name != ".." { names.append(name) }
        }
        names.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return relativePath.isEmpty ? names : names.map { relativePath + "/" + $0 }
    }

    private static func linkTarget(of path: String) throws(ArchiveError) -> String {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = buffer.withUnsafeMutableBytes { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                characters.baseAddress.map { readlink(path, $0, characters.count) } ?? -1
            }
        }
        guard count >= 0 else { throw .system(operation: "read link", path: path, code: errno) }
        guard let target = String(validating: buffer.prefix(count), as: UTF8.self) else {
            throw .unsafeEntry(path: path, reason: "a link to a name that is not UTF-8")
        }
        return target
    }
}
