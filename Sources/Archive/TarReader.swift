import CArchive
import Glibc

/// Reads a tar archive, plain or by gzip, that a stranger made.
///
/// It refuses what could harm whoever unpacks it: absolute paths and `..`, links that lead out, entries behind links,
/// paths that are there twice, devices and the like, more or larger entries than allowed, an archive that ends early.
/// Names must be UTF-8. All methods block; run them on a thread of their own. Not safe for use by two threads at once.
///
/// An entry is checked when ``next()`` gives it; the archive as a whole is only known to be good when that has given nil.
public final class TarReader {
    private static let chunkBytes = 64 << 10

    private let archive: OpaquePointer
    private let source: UnsafeMutableRawBufferPointer  // What libarchive reads from when the archive is in memory.
    private var tally: ArchiveTally
    private var tree = ArchiveTree()
    private var rest: Int64 = 0
    private var isInsideEntry = false

    /// Reads an archive from memory.
    ///
    /// - Parameters:
    ///   - bytes: The whole archive.
    ///   - limits: How much it may hold.
    /// - Throws: `.malformed` when it is no archive at all.
    public convenience init(bytes: [UInt8], limits: ArchiveLimits = ArchiveLimits()) throws(ArchiveError) {
        let source = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        source.copyBytes(from: bytes)
        try self.init(source: source, limits: limits) {
            archive_read_open_memory($0, source.baseAddress, source.count)
        }
    }

    /// Reads an archive from a file.
    ///
    /// - Parameters:
    ///   - fileDescriptor: Open for reading, at the archive's start; it stays the caller's to close, later than this.
    ///   - limits: How much it may hold.
    /// - Throws: `.malformed` when it is no archive at all.
    public convenience init(
        fileDescriptor: Int32, limits: ArchiveLimits = ArchiveLimits()
    ) throws(ArchiveError) {
        let none = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        try self.init(source: none, limits: limits) {
            archive_read_open_fd($0, fileDescriptor, Self.chunkBytes)
        }
    }

    /// Takes over `source`, and frees it in the end.
    private init(
        source: UnsafeMutableRawBufferPointer, limits: ArchiveLimits, open: (OpaquePointer) -> Int32
    ) throws(ArchiveError) {
        guard let archive = archive_read_new() else { preconditionFailure("libarchive has no memory") }
        self.archive = archive
        self.source = source
        tally = ArchiveTally(limits: limits)
        archive_read_support_format_tar(archive)
        archive_read_support_filter_gzip(archive)
        guard open(archive) == ARCHIVE_OK else { throw failure() }
    }

    deinit {
        archive_read_free(archive)
        source.deallocate()
    }

    /// Steps to the next entry; what is left of the current one's content is skipped.
    ///
    /// - Returns: The entry; nil when the archive has come to its end.
    /// - Throws: ``ArchiveError``; nothing can be read afterwards.
    public func next() throws(ArchiveError) -> TarEntry? {
        if isInsideEntry {
            guard archive_read_data_skip(archive) >= ARCHIVE_WARN else { throw failure() }
            isInsideEntry = false
            rest = 0
        }
        let positionBefore = archive_filter_bytes(archive, 0)
        var header: OpaquePointer?
        let status = archive_read_next_header(archive, &header)
        if status == ARCHIVE_EOF {
            // A whole archive ends in a block of zeros; libarchive would also take the end of the bytes for it.
            guard archive_filter_bytes(archive, 0) - positionBefore >= TarHeader.blockBytes else {
                throw .malformed(reason: "the archive has no end")
            }
            return nil
        }
        guard status >= ARCHIVE_WARN, let header else { throw failure() }
        let entry = try self.entry(header)
        rest = entry.size
        isInsideEntry = true
        return entry
    }

    /// Reads on in the current entry's content.
    ///
    /// - Returns: From 1 byte to 64 KiB; nil at the content's end.
    /// - Throws: ``ArchiveError``; nothing can be read afterwards.
    public func nextChunk() throws(ArchiveError) -> [UInt8]? {
        guard rest > 0 else { return nil }
        let wanted = Int(min(rest, Int64(Self.chunkBytes)))
        var count = 0
        let chunk = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, initialized in
            count = archive_read_data(archive, buffer.baseAddress, wanted)
            initialized = max(0, count)
        }
        guard count >= 0 else { throw failure() }
        guard count > 0 else { throw .malformed(reason: "the archive ends inside of a file") }
        rest -= Int64(count)
        return chunk
    }

    /// Reads the whole content of the current entry.
    ///
    /// - Parameter bytesMaximum: How much the caller is ready to hold in memory.
    /// - Returns: The content.
    /// - Throws: ``ArchiveError``; nothing can be read afterwards.
    public func content(bytesMaximum: Int) throws(ArchiveError) -> [UInt8] {
        guard rest <= Int64(bytesMaximum) else {
            throw .limitExceeded(reason: "a file has \(rest) bytes, more than the \(bytesMaximum) allowed here")
        }
        var content: [UInt8] = []
        while let chunk = try nextChunk() { content += chunk }
        return content
    }

    /// Checks and describes an entry.
    ///
    /// Of its names, libarchive has the UTF-8 form where the archive says that they are UTF-8; else the bytes as they stand.
    private func entry(_ header: OpaquePointer) throws(ArchiveError) -> TarEntry {
        let name = try text(archive_entry_pathname_utf8(header) ?? archive_entry_pathname(header), "a path")
        let path = try ArchivePath(name)
        let kind: TarEntry.Kind
        if let target = archive_entry_hardlink_utf8(header) ?? archive_entry_hardlink(header) {
            kind = .hardLink(to: try ArchivePath(text(target, "a link")).text)
        } else {
            switch archive_entry_filetype(header) {
            case S_IFREG: kind = .file
            case S_IFDIR: kind = .directory
            case S_IFLNK:
                let target = archive_entry_symlink_utf8(header) ?? archive_entry_symlink(header)
                kind = .symbolicLink(target: try text(target, "a link"))
            default: throw .unsafeEntry(path: path.text, reason: "neither file, directory nor link")
            }
        }
        let size = kind == .file ? archive_entry_size(header) : 0
        guard size >= 0 else { throw .malformed(reason: "a file has a negative size") }
        try tally.add(path: path, fileBytes: size)
        try tree.add(path, kind)
        let isExecutable = kind == .file && archive_entry_perm(header) & 0o100 != 0
        return TarEntry(path: path.text, kind: kind, size: size, isExecutable: isExecutable)
    }

    private func text(_ pointer: UnsafePointer<CChar>?, _ what: String) throws(ArchiveError) -> String {
        guard let pointer, let text = String(validatingCString: pointer) else {
            throw .malformed(reason: "\(what) in the archive is missing or not UTF-8")
        }
        return text
    }

    /// What libarchive says went wrong.
    private func failure() -> ArchiveError {
        let reason = archive_error_string(archive).map { String(decoding: bytes(of: $0), as: UTF8.self) }
        return .malformed(reason: "not a whole tar archive: " + (reason ?? "no reason given"))
    }

    private func bytes(of string: UnsafePointer<CChar>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: string, count: strlen(string))
    }
}
