import Glibc
import Synchronization
import Timing

/// Logs in a folder on disk, each in the file that its key names.
///
/// A file appears under its name only when it is whole and on disk. One process at a time uses the folder.
public final class LogFolder: LogStore {
    private let path: String
    private let bytesMaximum: Int
    private let counter = Atomic<Int>(0)

    /// Files on their way are here; no key begins with a dot.
    private static let incoming = ".incoming"
    /// Namespace, owner, repository, commit, function, file.
    private static let depthMaximum = 6

    /// Opens the folder, made when absent; what an earlier process left unfinished is removed.
    ///
    /// - Parameter bytesMaximum: A longer log is refused.
    /// - Throws: ``LogStoreError``.
    public init(path: String, bytesMaximum: Int) throws(LogStoreError) {
        self.path = path
        self.bytesMaximum = bytesMaximum
        for folder in [path, path + "/" + Self.incoming] {
            guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw Self.error("mkdir", folder) }
        }
        guard access(path, R_OK | W_OK | X_OK) == 0 else { throw Self.error("access", path) }
        for name in Self.names(in: path + "/" + Self.incoming) { unlink("\(path)/\(Self.incoming)/\(name)") }
    }

    /// Stores a log.
    public func put(_ key: LogKey, _ bytes: [UInt8]) async throws {
        guard bytes.count <= bytesMaximum else {
            throw LogStoreError("a log may have \(bytesMaximum) bytes at most, this one has \(bytes.count)")
        }
        try await blocking { [self] () throws(LogStoreError) in
            let number = counter.wrappingAdd(1, ordering: .relaxed).newValue
            let temporary = "\(path)/\(Self.incoming)/\(number)"
            defer { unlink(temporary) }
            try Self.write(bytes, to: temporary)
            try place(temporary, at: key)
        }
    }

    /// Reads a log.
    public func get(_ key: LogKey) async throws -> [UInt8]? {
        try await blocking { [self] () throws(LogStoreError) in try read(path + "/" + key.path) }
    }

    /// Looks at the folder.
    public func list(_ prefix: LogPrefix?) async throws -> [StoredLog] {
        try await blocking { [self] () throws(LogStoreError) in
            var logs: [StoredLog] = []
            let start = prefix.map { String($0.path.dropLast()) }
            collect(start ?? "", depth: start?.split(separator: "/").count ?? 0, into: &logs)
            return logs
        }
    }

    /// Deletes files, and the folders that become empty.
    public func delete(_ logs: [StoredLog]) async throws {
        try await blocking { [self] () throws(LogStoreError) in
            for log in logs {
                guard unlink(path + "/" + log.path) == 0 || errno == ENOENT else {
                    throw Self.error("unlink", log.path)
                }
                var folder = log.path[...]
                while let slash = folder.lastIndex(of: "/") {
                    folder = folder[..<slash]
                    guard rmdir(path + "/" + folder) == 0 else { break }
                }
            }
        }
    }

    // MARK: - Files

    /// Gives a finished file its name, in folders that are made where they are missing.
    private func place(_ temporary: String, at key: LogKey) throws(LogStoreError) {
        let final = path + "/" + key.path
        // A sweep may take an empty folder away in the meantime: make it again.
        for _ in 0..<3 {
            var folder = path
            for part in key.path.split(separator: "/").dropLast() {
                folder += "/" + part
                guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw Self.error("mkdir", key.path) }
            }
            if rename(temporary, final) == 0 {
                try Self.synchronise(folder)
                return
            }
            guard errno == ENOENT else { break }
        }
        throw Self.error("rename", key.path)
    }

    private static func write(_ bytes: [UInt8], to path: String) throws(LogStoreError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw error("open", path) }
        defer { close(descriptor) }
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress?.advanced(by: done), bytes.count - done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw error("write", path) }
            done += count
        }
        guard fsync(descriptor) == 0 else { throw error("fsync", path) }
    }

    /// Makes sure that a new name is on disk.
    private static func synchronise(_ folder: String) throws(LogStoreError) {
        let descriptor = open(folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY)
        guard descriptor >= 0 else { throw error("open", folder) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw error("fsync", folder) }
    }

    private func read(_ path: String) throws(LogStoreError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if [ENOENT, ENOTDIR, ENAMETOOLONG].contains(errno) { return nil }
            throw Self.error("open", path)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.error("fstat", path) }
        guard status.st_mode & S_IFMT == S_IFREG else { return nil }
        let size = min(Int(status.st_size), bytesMaximum)
        var bytes = [UInt8](repeating: 0, count: size)
        var done = 0
        while done < size {
            let count = bytes.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress?.advanced(by: done), size - done)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.error("read", path) }
            if count == 0 { break }
            done += count
        }
        return Array(bytes[..<done])
    }

    /// Adds the logs in a folder and below.
    private func collect(_ folder: String, depth: Int, into logs: inout [StoredLog]) {
        let base = folder.isEmpty ? path : path + "/" + folder
        for name in Self.names(in: base) where !(folder.isEmpty && name == Self.incoming) {
            let relative = folder.isEmpty ? name : folder + "/" + name
            var status = stat()
            guard lstat(path + "/" + relative, &status) == 0 else { continue }
            switch status.st_mode & S_IFMT {
            case S_IFDIR where depth + 1 < Self.depthMaximum: collect(relative, depth: depth + 1, into: &logs)
            case S_IFREG where name == LogKey.fileName:
                logs.append(
                    StoredLog(
                        path: relative, sizeBytes: Int(status.st_size),
                        storedAt: Timestamp(
                            secondsSinceEpoch: Int64(status.st_mtim.tv_sec),
                            nanoseconds: Int32(clamping: status.st_mtim.tv_nsec))))
            default: break
            }
        }
    }

    private static func names(in folder: String) -> [String] {
        guard let handle = opendir(folder) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    private static func error(_ call: String, _ path: String) -> LogStoreError {
        let code = errno
        if code == ENOSPC || code == EDQUOT {
            return LogStoreError("the disk of the logs is full; lower logs.retention")
        }
        return LogStoreError("\(call) \(path): \(String(cString: strerror(code)))")
    }

    private func blocking<R: Sendable>(
        _ body: @escaping @Sendable () throws(LogStoreError) -> R
    ) async throws -> R {
        try await BlockingThread.run { () -> Result<R, LogStoreError> in
            do throws(LogStoreError) {
                return .success(try body())
            } catch {
                return .failure(error)
            }
        }.get()
    }
}
