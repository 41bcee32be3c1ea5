import CRDs
import Glibc

/// The tree of a fetched commit.
public struct GitTree: SourceTree {
    /// The commit it belongs to.
    public let commit: String
    /// Everything in the tree, in the order of the paths' bytes.
    public let entries: [SourceEntry]
    private let work: GitWork

    init(commit: String, entries: [SourceEntry], work: GitWork) {
        self.commit = commit
        self.entries = entries
        self.work = work
    }

    /// The commit's message, subject and body.
    ///
    /// - Throws: ``BuildFailure`` when it has more than a mebibyte.
    public func message() async throws -> String {
        try await work.message(of: commit, bytesMaximum: 1 << 20)
    }

    /// Returns the content of one small file.
    public func read(_ entry: SourceEntry, bytesMaximum: Int) async throws -> [UInt8] {
        guard entry.sizeBytes <= bytesMaximum else {
            throw BuildFailure(.sourceTooLarge, "\(entry.path) has more than \(bytesMaximum) bytes")
        }
        return try await work.readObject(entry.contentID, bytesMaximum: bytesMaximum)
    }

    /// Unpacks the contents of the entries into one file of ours, to be read one after the other.
    public func open(_ entries: [SourceEntry]) async throws -> any SourceContents {
        var seen: Set<String> = []
        let objects = entries.filter { $0.kind != .submodule && seen.insert($0.contentID).inserted }
        let path = work.folder + "/contents-" + ScratchFolder.randomName()
        // Each object is framed by its name, type and size: at most 100 bytes and a newline.
        let maximum = objects.reduce(0) { $0 + $1.sizeBytes + 128 }
        try await work.writeContents(of: objects.map(\.contentID), to: path, bytesMaximum: maximum)
        return try GitContents(path: path, objects: objects)
    }
}

/// The file that `git cat-file --batch` wrote: objects one after the other, each behind a line that names it.
final class GitContents: SourceContents {
    private let descriptor: Int32
    private let path: String
    private let offsets: [String: Int]

    init(path: String, objects: [SourceEntry]) throws {
        self.path = path
        descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ScratchError.cannotOpen(path, code: errno) }
        var offsets: [String: Int] = [:]
        var offset = 0
        for object in objects {
            // "<name> blob <size>\n": it must be what was asked for, else the offsets of all others would be wrong.
            let head = Array("\(object.contentID) blob \(object.sizeBytes)\n".utf8)
            guard try Self.read(descriptor, at: offset, count: head.count) == head else {
                Glibc.close(descriptor)
                throw BuildFailure(.gitFailed, "git did not hand out \(object.path)")
            }
            offsets[object.contentID] = offset + head.count
            offset += head.count + object.sizeBytes + 1
        }
        self.offsets = offsets
    }

    deinit {
        Glibc.close(descriptor)
        unlink(path)
    }

    func forEachPiece(of entry: SourceEntry, _ body: ([UInt8]) throws -> Void) throws {
        guard let start = offsets[entry.contentID] else {
            throw BuildFailure(.gitFailed, "\(entry.path) was not opened for reading")
        }
        var done = 0
        while done < entry.sizeBytes {
            let piece = try Self.read(descriptor, at: start + done, count: min(1 << 20, entry.sizeBytes - done))
            guard !piece.isEmpty else { throw BuildFailure(.gitFailed, "\(entry.path) ends too early") }
            if done == 0, piece.count == entry.sizeBytes, LFSPointer.isPointer(piece) {
                throw BuildFailure(
                    .contextInvalid,
                    "\(entry.path) is a pointer of Git LFS, whose files are not fetched: commit the file itself, or leave "
                        + "it out with a .dockerignore")
            }
            try body(piece)
            done += piece.count
        }
    }

    private static func read(_ descriptor: Int32, at offset: Int, count: Int) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            let got = pread(descriptor, buffer.baseAddress, count, off_t(offset))
            guard got >= 0 else { throw ScratchError.cannotRead(code: errno) }
            initialized = got
        }
    }
}
