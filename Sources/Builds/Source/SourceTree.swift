import CRDs

/// One file, link or foreign thing in a tree of source.
public struct SourceEntry: Sendable, Hashable {
    /// What it is; the raw value is Git's mode.
    public enum Kind: String, Sendable {
        case file = "100644"
        case executable = "100755"
        case link = "120000"
        /// Another repository's commit. Its files are not here.
        case submodule = "160000"
    }

    /// Relative to the tree's root, with slashes, without `.` and `..`.
    public let path: String
    /// What it is.
    public let kind: Kind
    /// Name of the content: equal for equal bytes, within one tree.
    public let contentID: String
    /// Bytes of the content; the length of the target for a link, 0 for a submodule.
    public let sizeBytes: Int

    /// Makes an entry.
    public init(path: String, kind: Kind, contentID: String, sizeBytes: Int) {
        self.path = path
        self.kind = kind
        self.contentID = contentID
        self.sizeBytes = sizeBytes
    }
}

/// A commit's files, looked at without ever putting them on a disk under their own names.
///
/// So no link of a tenant's tree is ever followed, no attribute or filter of it ever runs, and no name of it ever
/// becomes a path of ours.
public protocol SourceTree: Sendable {
    /// Everything in the tree, in the order of the paths' bytes. Folders are only in the paths.
    var entries: [SourceEntry] { get }

    /// Returns the content of one small file.
    ///
    /// - Throws: ``BuildFailure`` with ``CRDs/RepositoryReason/sourceTooLarge`` above `bytesMaximum`.
    func read(_ entry: SourceEntry, bytesMaximum: Int) async throws -> [UInt8]

    /// Opens the contents of many entries for reading one after the other.
    func open(_ entries: [SourceEntry]) async throws -> any SourceContents
}

/// The contents of some entries, ready to be read.
public protocol SourceContents: Sendable {
    /// Passes the content on in pieces of at most a megabyte.
    ///
    /// - Throws: What reading throws, and what `body` throws.
    func forEachPiece(of entry: SourceEntry, _ body: ([UInt8]) throws -> Void) throws
}

extension SourceTree {
    /// Returns the entry at exactly this path.
    public func entry(at path: String) -> SourceEntry? {
        let wanted = Array(path.utf8)
        let index = entries.partitioningIndex { !$0.path.utf8.lexicographicallyPrecedes(wanted) }
        guard index < entries.count, entries[index].path == path else { return nil }
        return entries[index]
    }

    /// Returns what lies below a folder; everything for the empty path.
    public func entries(below folder: String) -> ArraySlice<SourceEntry> {
        guard !folder.isEmpty else { return entries[...] }
        let prefix = Array((folder + "/").utf8)
        let start = entries.partitioningIndex { !$0.path.utf8.lexicographicallyPrecedes(prefix) }
        let rest = entries[start...]
        return rest.prefix { $0.path.utf8.starts(with: prefix) }
    }
}

extension Array {
    /// The first index whose element satisfies the predicate, when all that do come last.
    func partitioningIndex(_ isAfter: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = low + (high - low) / 2
            if isAfter(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
