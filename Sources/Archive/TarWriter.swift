import Glibc

/// Writes a tar archive that depends on nothing but its entries: the same tree always gives the same bytes.
///
/// Owners are root, times are fixed, modes are 0755 for directories and executable files and 0644 for other files, and
/// entries come in the order in which they are added. Written here and not by libarchive, so that no update of a library
/// changes the digest of a source. All methods block; run them on a thread of their own.
///
/// An entry whose addition threw leaves the archive unusable.
public struct TarWriter: ~Copyable {
    /// The time of each entry: 1980-01-02, since the zip format, and so Python's wheels, cannot go back before 1980.
    public static let modificationTime: Int64 = 315_619_200

    private static let chunkBytes = 64 << 10

    private let sink: ([UInt8]) throws -> Void
    private var tally: ArchiveTally

    /// Makes a writer.
    ///
    /// - Parameters:
    ///   - limits: How much the archive may hold.
    ///   - sink: Takes the archive's bytes, piece by piece.
    public init(limits: ArchiveLimits = ArchiveLimits(), sink: @escaping ([UInt8]) throws -> Void) {
        tally = ArchiveTally(limits: limits)
        self.sink = sink
    }

    /// Makes a writer to a file.
    ///
    /// - Parameters:
    ///   - fileDescriptor: Open for writing; it stays the caller's to close.
    ///   - limits: How much the archive may hold.
    public init(fileDescriptor: Int32, limits: ArchiveLimits = ArchiveLimits()) {
        self.init(limits: limits) { try writeAll($0, to: fileDescriptor) }
    }

    /// Adds a directory.
    ///
    /// - Parameter path: Its path inside the archive.
    /// - Throws: ``ArchiveError``, or what the sink throws.
    public mutating func addDirectory(_ path: String) throws {
        let path = try ArchivePath(path)
        try begin(path, .directory, mode: 0o755)
    }

    /// Adds a file from memory.
    ///
    /// - Parameters:
    ///   - path: Its path inside the archive.
    ///   - bytes: Its content.
    ///   - isExecutable: Whether it may be run.
    /// - Throws: ``ArchiveError``, or what the sink throws.
    public mutating func addFile(_ path: String, bytes: [UInt8], isExecutable: Bool = false) throws {
        let path = try ArchivePath(path)
        try begin(path, .file, mode: isExecutable ? 0o755 : 0o644, size: Int64(bytes.count))
        try sink(bytes)
        try sink(TarHeader.padding(after: Int64(bytes.count)))
    }

    /// Adds a file whose content comes in pieces from anywhere.
    ///
    /// - Parameters:
    ///   - path: Its path inside the archive.
    ///   - size: How many bytes will come.
    ///   - isExecutable: Whether it may be run.
    ///   - content: Passes the pieces on, exactly `size` bytes in all.
    /// - Throws: ``ArchiveError``, with `sourceChanged` for more or fewer bytes; what the sink or `content` throws.
    public mutating func addFile(
        _ path: String, size: Int, isExecutable: Bool = false,
        content: (_ next: ([UInt8]) throws -> Void) throws -> Void
    ) throws {
        let path = try ArchivePath(path)
        try begin(path, .file, mode: isExecutable ? 0o755 : 0o644, size: Int64(size))
        var rest = size
        let sink = sink
        try content { piece in
            guard piece.count <= rest else { throw ArchiveError.sourceChanged(path: path.text) }
            rest -= piece.count
            try sink(piece)
        }
        guard rest == 0 else { throw ArchiveError.sourceChanged(path: path.text) }
        try sink(TarHeader.padding(after: Int64(size)))
    }

    /// Adds a file from disk, in pieces; whether its owner may run it is kept.
    ///
    /// - Parameters:
    ///   - path: Its path inside the archive.
    ///   - source: Its path on disk. A symbolic link is not followed.
    /// - Throws: ``ArchiveError``, or what the sink throws.
    public mutating func addFile(_ path: String, from source: String) throws {
        let path = try ArchivePath(path)
        let descriptor = open(source, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw ArchiveError.system(operation: "open", path: source, code: errno) }
        defer { close(descriptor) }
        let status = try FileStatus(of: descriptor, path: source)
        guard status.kind == .file else {
            throw ArchiveError.unsafeEntry(path: path.text, reason: "neither file, directory nor link")
        }
        try begin(path, .file, mode: status.isExecutable ? 0o755 : 0o644, size: status.size)
        var rest = status.size
        while true {
            // One byte beyond the end shows whether the file has grown.
            let chunk = try read(from: descriptor, Int(min(rest, Int64(Self.chunkBytes - 1))) + 1, path: source)
            guard Int64(chunk.count) <= rest else { throw ArchiveError.sourceChanged(path: path.text) }
            if chunk.isEmpty { break }
            rest -= Int64(chunk.count)
            try sink(chunk)
        }
        guard rest == 0 else { throw ArchiveError.sourceChanged(path: path.text) }
        try sink(TarHeader.padding(after: status.size))
    }

    /// Adds a symbolic link, wherever it leads.
    ///
    /// - Parameters:
    ///   - path: Its path inside the archive.
    ///   - target: What it says.
    /// - Throws: ``ArchiveError``, or what the sink throws.
    public mutating func addSymbolicLink(_ path: String, target: String) throws {
        let path = try ArchivePath(path)
        guard !target.isEmpty, !target.utf8.contains(0), target.utf8.count <= tally.limits.pathBytesMaximum else {
            throw ArchiveError.unsafeEntry(path: path.text, reason: "a link to an empty or too long path")
        }
        try begin(path, .symbolicLink, mode: 0o777, linkTarget: target)
    }

    /// Writes the end of the archive; nothing may follow.
    ///
    /// - Throws: What the sink throws.
    public consuming func finish() throws {
        try sink([UInt8](repeating: 0, count: 2 * TarHeader.blockBytes))
    }

    private mutating func begin(
        _ path: ArchivePath, _ kind: TarHeader.Kind, mode: UInt32, size: Int64 = 0, linkTarget: String = ""
    ) throws {
        try tally.add(path: path, fileBytes: size)
        let header = TarHeader(
            path: kind == .directory ? path.text + "/" : path.text, kind: kind, mode: mode, size: size,
            linkTarget: linkTarget, modificationTime: Self.modificationTime)
        try sink(header.blocks())
    }
}

/// Reads up to `count` bytes; none at the end.
private func read(from descriptor: Int32, _ count: Int, path: String) throws(ArchiveError) -> [UInt8] {
    var result = 0
    let chunk = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        repeat { result = Glibc.read(descriptor, buffer.baseAddress, count) } while result < 0 && errno == EINTR
        initialized = max(0, result)
    }
    guard result >= 0 else { throw .system(operation: "read", path: path, code: errno) }
    return chunk
}

private func writeAll(_ bytes: [UInt8], to descriptor: Int32) throws(ArchiveError) {
    var code: Int32 = 0
    bytes.withUnsafeBytes { buffer in
        var rest = buffer[...]
        while !rest.isEmpty, code == 0 {
            let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                code = errno
            }
        }
    }
    guard code == 0 else { throw .system(operation: "write", path: "archive", code: code) }
}
