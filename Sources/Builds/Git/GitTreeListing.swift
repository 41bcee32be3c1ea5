import CRDs

/// Reads what `git ls-tree -r -l -z` prints, and holds it against the limits.
enum GitTreeListing {
    /// - Returns: The entries in the order of the paths' bytes.
    /// - Throws: ``BuildFailure`` with ``CRDs/RepositoryReason/sourceTooLarge`` or, for a line that is none,
    ///   ``CRDs/RepositoryReason/gitFailed``.
    static func parse(_ bytes: [UInt8], configuration: GitConfiguration) throws(BuildFailure) -> [SourceEntry] {
        var entries: [SourceEntry] = []
        var total = 0
        for line in bytes.split(separator: 0) {
            guard entries.count < configuration.filesMaximum else {
                throw BuildFailure(.sourceTooLarge, "the commit holds more than \(configuration.filesMaximum) files")
            }
            let entry = try self.entry(line, pathBytesMaximum: configuration.pathBytesMaximum)
            total += entry.sizeBytes  // Each is below filesBytesMaximum or ends the loop: no overflow.
            guard total <= configuration.filesBytesMaximum else {
                throw BuildFailure(
                    .sourceTooLarge,
                    "the files of the commit have more than \(configuration.filesBytesMaximum >> 20) MiB")
            }
            entries.append(entry)
        }
        return entries.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    /// One line: `<mode> SP <type> SP <object> SP <size, padded> TAB <path>`.
    private static func entry(_ line: ArraySlice<UInt8>, pathBytesMaximum: Int) throws(BuildFailure) -> SourceEntry {
        let unreadable = BuildFailure(.gitFailed, "git listed a file in a form that is not understood")
        guard let tab = line.firstIndex(of: UInt8(ascii: "\t")) else { throw unreadable }
        let head = line[..<tab].split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
        let pathBytes = line[(tab + 1)...]
        guard pathBytes.count <= pathBytesMaximum else {
            throw BuildFailure(.sourceTooLarge, "a path in the commit has more than \(pathBytesMaximum) bytes")
        }
        guard let path = String(validating: pathBytes, as: UTF8.self) else {
            throw BuildFailure(.contextInvalid, "the name of a file in the commit is not UTF-8")
        }
        guard head.count == 4, isSafe(path) else { throw unreadable }
        // Old trees carry modes such as 100664; only what Git itself acts on counts.
        let kind: SourceEntry.Kind
        switch head[0] {
        case "120000": kind = .link
        case "160000": kind = .submodule
        case "100755": kind = .executable
        case let mode where mode.hasPrefix("100"): kind = .file
        default: throw unreadable
        }
        guard kind == .submodule || Int(head[3]) != nil else { throw unreadable }
        let size = Int(head[3]) ?? 0
        guard size >= 0, size < Int.max / 2 else { throw unreadable }
        return SourceEntry(path: path, kind: kind, contentID: head[2], sizeBytes: size)
    }

    /// Git refuses such paths itself; a crafted tree could hold them all the same.
    private static func isSafe(_ path: String) -> Bool {
        path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
            !$0.isEmpty && $0 != "." && $0 != ".."
        }
    }
}
