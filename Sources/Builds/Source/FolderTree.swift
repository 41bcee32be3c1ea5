import CRDs
import Glibc

/// The files of a folder on disk, as somebody at a terminal has them before they are committed.
///
/// What `.git` holds is left out, and so is what is neither file, folder nor link, as Git has it. A file that changes while it
/// is read is a failure, never a mixture.
public struct FolderTree: SourceTree {
    /// How much a folder may hold.
    public struct Limits: Sendable, Hashable {
        /// Files and links together.
        public var filesMaximum = 100_000
        /// Folders inside folders.
        public var depthMaximum = 64

        /// Makes the default limits.
        public init() {}
    }

    /// The folder's path.
    public let path: String
    /// Everything in the folder, in the order of the paths' bytes.
    public let entries: [SourceEntry]
    private let followsLinks: Bool

    /// Looks at all that a folder holds.
    ///
    /// - Parameters:
    ///   - path: The folder.
    ///   - followsLinks: Whether a link counts as what it leads to, as faas-cli has it; else it stays a link.
    ///   - leavesOut: Tells folders and files that do not count, by their path inside the folder.
    /// - Throws: ``BuildFailure``: `SourceTooLarge`, or `ContextInvalid` for what cannot be read.
    public static func read(
        _ path: String, followsLinks: Bool = false, limits: Limits = Limits(),
        leavesOut: @escaping @Sendable (String) -> Bool = { _ in false }
    ) async throws -> FolderTree {
        let walk = FolderWalk(root: path, followsLinks: followsLinks, limits: limits, leavesOut: leavesOut)
        let entries = try await BlockingThread.run { Result { try walk.entries() } }.get()
        return FolderTree(path: path, entries: entries, followsLinks: followsLinks)
    }

    /// Returns the content of one small file.
    public func read(_ entry: SourceEntry, bytesMaximum: Int) async throws -> [UInt8] {
        guard entry.sizeBytes <= bytesMaximum else {
            throw BuildFailure(.sourceTooLarge, "\(entry.path) has more than \(bytesMaximum) bytes")
        }
        let contents = FolderContents(root: path, followsLinks: followsLinks)
        return try await BlockingThread.run {
            Result {
                var bytes: [UInt8] = []
                try contents.forEachPiece(of: entry) { bytes += $0 }
                return bytes
            }
        }.get()
    }

    /// Returns what reads the contents of the entries; each is opened when it is read.
    public func open(_ entries: [SourceEntry]) async throws -> any SourceContents {
        FolderContents(root: path, followsLinks: followsLinks)
    }
}

/// Finds what a folder holds.
private struct FolderWalk: Sendable {
    let root: String
    let followsLinks: Bool
    let limits: FolderTree.Limits
    let leavesOut: @Sendable (String) -> Bool

    /// Git's own folder, or the file that stands for it in a worktree or submodule.
    private static let gitName = ".git"

    func entries() throws(BuildFailure) -> [SourceEntry] {
        var found: [SourceEntry] = []
        var pending = [""]
        while let folder = pending.popLast() { try look(into: folder, &found, &pending) }
        return found.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    private func look(into folder: String, _ found: inout [SourceEntry], _ pending: inout [String]) throws(BuildFailure)
    {
        guard folder.utf8.count(where: { $0 == ASCII.slash }) < limits.depthMaximum else {
            throw BuildFailure(
                .sourceTooLarge, "\(folder.prefix(80))… is nested deeper than \(limits.depthMaximum) folders")
        }
        let here = folder.isEmpty ? root : root + "/" + folder
        guard let handle = opendir(here) else { throw .unreadable(here) }
        defer { closedir(handle) }
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
            }
            guard let name else {
                throw BuildFailure(.contextInvalid, "\(here) holds a name that is not UTF-8; rename it")
            }
            guard name != ".", name != "..", name != Self.gitName else { continue }
            let path = folder.isEmpty ? name : folder + "/" + name
            guard !leavesOut(path) else { continue }
            try take(path, &found, &pending)
        }
    }

    private func take(_ path: String, _ found: inout [SourceEntry], _ pending: inout [String]) throws(BuildFailure) {
        var status = stat()
        let full = root + "/" + path
        guard (followsLinks ? stat(full, &status) : lstat(full, &status)) == 0 else { throw .unreadable(full) }
        let kind: SourceEntry.Kind
        switch status.st_mode & S_IFMT {
        case S_IFDIR: return pending.append(path)
        case S_IFREG: kind = status.st_mode & S_IXUSR != 0 ? .executable : .file
        case S_IFLNK: kind = .link
        default: return
        }
        guard found.count < limits.filesMaximum else {
            throw BuildFailure(
                .sourceTooLarge, "\(root) holds more than \(limits.filesMaximum) files; is it the folder you mean?")
        }
        // The path names the content: equal names are equal bytes, since each is there once.
        found.append(SourceEntry(path: path, kind: kind, contentID: path, sizeBytes: Int(status.st_size)))
    }
}

/// Reads the contents of files where they lie.
private struct FolderContents: SourceContents {
    let root: String
    let followsLinks: Bool

    private static let pieceBytes = 1 << 20

    func forEachPiece(of entry: SourceEntry, _ body: ([UInt8]) throws -> Void) throws {
        let path = root + "/" + entry.path
        guard entry.kind != .link else { return try body(Self.target(path)) }
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (followsLinks ? 0 : O_NOFOLLOW)
        let descriptor = Glibc.open(path, flags)
        guard descriptor >= 0 else { throw BuildFailure.unreadable(path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw changed(path) }
        var done = 0
        while true {
            var failed = false
            let piece = [UInt8](unsafeUninitializedCapacity: Self.pieceBytes) { buffer, count in
                let got = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                failed = got < 0
                count = max(0, got)
            }
            guard !failed else { throw BuildFailure.unreadable(path) }
            guard !piece.isEmpty else { break }
            if done == 0, piece.count == entry.sizeBytes, LFSPointer.isPointer(piece) {
                throw BuildFailure(
                    .contextInvalid, "\(entry.path) is a pointer of Git LFS; fetch its content with: git lfs pull")
            }
            done += piece.count
            guard done <= entry.sizeBytes else { throw changed(path) }
            try body(piece)
        }
        guard done == entry.sizeBytes else { throw changed(path) }
    }

    private func changed(_ path: String) -> BuildFailure {
        BuildFailure(.contextInvalid, "\(path) changed while it was read; try again")
    }

    private static func target(_ path: String) throws -> [UInt8] {
        guard let target = LinkTarget.read(path) else { throw BuildFailure.unreadable(path) }
        return target
    }
}

extension BuildFailure {
    /// Something on this machine's disk that the last call could not read; `errno` says why.
    fileprivate static func unreadable(_ path: String) -> BuildFailure {
        BuildFailure(.contextInvalid, "\(path) cannot be read: \(String(cString: strerror(errno)))")
    }
}
