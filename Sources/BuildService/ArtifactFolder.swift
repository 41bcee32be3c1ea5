import Builds
import Cryptography
import Glibc
import SwiftOverlayShims  // Where the compiler finds the members of `timespec`.
import Synchronization

/// Artifacts on disk, each a file named after the SHA-256 of its content.
///
/// A file appears under its name only when it is whole, checked and on disk. Reading one counts as use: what is used
/// least recently goes first when room is needed. All methods block; call them on a thread of their own.
final class ArtifactFolder: Sendable {
    let path: String
    let limits: ArtifactLimits
    private let names = Mutex(0)

    /// Opens the folder, made when absent; what an earlier process left unfinished is removed.
    ///
    /// - Throws: ``ArtifactFolderError``.
    init(path: String, limits: ArtifactLimits) throws(ArtifactFolderError) {
        self.path = path
        self.limits = limits
        if mkdir(path, 0o700) != 0, errno != EEXIST { throw .system("mkdir", code: errno) }
        guard access(path, R_OK | W_OK | X_OK) == 0 else { throw .system("access", code: errno) }
        for name in fileNames where name.hasPrefix(Self.unfinished) { unlink(path + "/" + name) }
    }

    private static let unfinished = "incoming-"

    /// Bytes of an artifact; nil when it is not here.
    func sizeBytes(digest: String) -> Int? {
        var status = stat()
        guard lstat(file(digest), &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int(status.st_size)
    }

    /// Marks an artifact as used now.
    func touch(digest: String) { utimensat(AT_FDCWD, file(digest), nil, 0) }

    /// Opens an artifact for reading.
    ///
    /// - Returns: The descriptor, the caller's to close, and the size; nil when it is not here.
    func open(digest: String) throws(ArtifactFolderError) -> (descriptor: Int32, sizeBytes: Int)? {
        let descriptor = Glibc.open(file(digest), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw .system("open", code: errno)
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let code = errno
            close(descriptor)
            throw .system("fstat", code: code)
        }
        touch(digest: digest)
        return (descriptor, Int(status.st_size))
    }

    /// Begins to store an artifact.
    ///
    /// - Throws: ``ArtifactFolderError``.
    func beginUpload(digest: String) throws(ArtifactFolderError) -> ArtifactUpload {
        try ArtifactUpload(
            digest: digest, temporary: temporaryPath(), final: file(digest),
            folder: path, bytesMaximum: limits.artifactBytesMaximum)
    }

    /// A path for a file that is not finished; what is left there when the process ends goes at the next start.
    func temporaryPath() -> String {
        let number = names.withLock { number in
            number &+= 1
            return number
        }
        return "\(path)/\(Self.unfinished)\(getpid())-\(number)"
    }

    /// Takes a finished file in as an artifact.
    ///
    /// - Parameters:
    ///   - temporary: Where the file is, of ``temporaryPath()``; it is whole and on disk.
    ///   - digest: Its SHA-256, 64 hex digits.
    /// - Throws: ``ArtifactFolderError``.
    func adopt(_ temporary: String, digest: String) throws(ArtifactFolderError) {
        try Self.place(temporary, at: file(digest), in: path)
        touch(digest: digest)
    }

    /// Gives a file its name, and makes sure that the name itself is on disk before anybody is told.
    static func place(_ temporary: String, at final: String, in folder: String) throws(ArtifactFolderError) {
        guard rename(temporary, final) == 0 else { throw ArtifactFolderError(call: "rename", code: errno) }
        let directory = Glibc.open(folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY)
        guard directory >= 0 else { throw ArtifactFolderError(call: "open", code: errno) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw ArtifactFolderError(call: "fsync", code: errno) }
    }

    /// Makes room for `incoming` bytes and removes what is too old.
    ///
    /// - Returns: How many artifacts were removed, and how many bytes are left in use.
    /// - Throws: ``ArtifactFolderError/full`` when what is protected leaves no room.
    @discardableResult
    func sweep(incoming: Int = 0) throws(ArtifactFolderError) -> (removed: Int, usedBytes: Int) {
        let entries = entries()
        var used = entries.reduce(0) { $0 + $1.sizeBytes }
        let doomed = limits.entriesToDelete(from: entries, incoming: incoming)
        for entry in doomed {
            unlink(path + "/" + entry.name)
            used -= entry.sizeBytes
        }
        guard incoming == 0 || used + incoming <= limits.totalBytesMaximum else { throw .full }
        return (doomed.count, used)
    }

    private func entries() -> [ArtifactLimits.Entry] {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return fileNames.compactMap { name in
            var status = stat()
            guard ArtifactPath.digest(inFileName: name) != nil, lstat(path + "/" + name, &status) == 0 else {
                return nil
            }
            return ArtifactLimits.Entry(
                name: name, sizeBytes: Int(status.st_size), age: .seconds(now.tv_sec - status.st_mtim.tv_sec))
        }
    }

    private var fileNames: [String] {
        guard let handle = opendir(path) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names
    }

    private func file(_ digest: String) -> String { path + "/" + ArtifactPath.fileName(digest: digest) }
}

/// Why the folder could not do something.
enum ArtifactFolderError: Error, Hashable {
    /// The operating system refused a call, with this `errno`.
    case system(String, code: Int32)
    /// No room is left, neither in the folder's allowance nor on the disk.
    case full
    /// The artifact is larger than one may be.
    case tooLarge
    /// The content does not have the digest it was announced with.
    case wrongDigest(String)

    /// What an error number of the operating system means here.
    init(call: String, code: Int32) {
        self = code == ENOSPC || code == EDQUOT ? .full : .system(call, code: code)
    }
}
