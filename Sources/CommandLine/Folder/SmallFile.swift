import Builds
import Commands
import Glibc

/// Files that a person keeps beside their work.
enum SmallFile {
    /// Reads a whole file; nil where there is none.
    ///
    /// - Throws: `CommandFailure` when it cannot be read or is too large.
    static func read(_ path: String, bytesMaximum: Int) async throws -> [UInt8]? {
        try await BlockingThread.run { () -> Result<[UInt8]?, CommandFailure> in
            let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
            guard descriptor >= 0 else {
                return errno == ENOENT ? .success(nil) : .failure(failure(path, "cannot be read"))
            }
            defer { close(descriptor) }
            var bytes: [UInt8] = []
            while bytes.count <= bytesMaximum {
                var got = 0
                bytes += [UInt8](unsafeUninitializedCapacity: 64 << 10) { buffer, count in
                    got = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                    count = max(0, got)
                }
                guard got >= 0 else { return .failure(failure(path, "cannot be read")) }
                if got == 0 { return .success(bytes) }
            }
            return .failure(CommandFailure(.failed, "\(path) has more than \(bytesMaximum) bytes"))
        }.get()
    }

    /// A path that means the same from everywhere.
    static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/"), let folder = getcwd(nil, 0) else { return path }
        defer { free(folder) }
        return String(cString: folder) + "/" + path
    }

    /// Whether there is a file, or something else, of a name.
    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Writes a file that must not be there yet, with the folders it needs.
    ///
    /// - Throws: `CommandFailure`.
    static func create(_ path: String, _ bytes: [UInt8], isExecutable: Bool) async throws {
        try await BlockingThread.run { () -> Result<Void, CommandFailure> in
            let parts = path.split(separator: "/").dropLast()
            var folder = path.hasPrefix("/") ? "" : "."
            for part in parts {
                folder += "/" + part
                guard mkdir(folder, 0o777) == 0 || errno == EEXIST else {
                    return .failure(failure(folder, "cannot be made"))
                }
            }
            let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
            let descriptor = open(path, flags, isExecutable ? 0o777 : 0o666)
            guard descriptor >= 0 else { return .failure(failure(path, "cannot be made")) }
            defer { close(descriptor) }
            return write(bytes, to: descriptor, path)
        }.get()
    }

    /// Makes a folder that must not be there yet.
    ///
    /// - Throws: `CommandFailure`.
    static func makeFolder(_ path: String) async throws {
        try await BlockingThread.run { () -> Result<Void, CommandFailure> in
            mkdir(path, 0o777) == 0 ? .success(()) : .failure(failure(path, "cannot be made"))
        }.get()
    }

    /// Makes a folder, unless it is there.
    ///
    /// - Throws: `CommandFailure`.
    static func ensureFolder(_ path: String) async throws {
        try await BlockingThread.run { () -> Result<Void, CommandFailure> in
            mkdir(path, 0o777) == 0 || errno == EEXIST ? .success(()) : .failure(failure(path, "cannot be made"))
        }.get()
    }

    /// Puts a text in the place of a file's content, all of it or nothing.
    ///
    /// - Throws: `CommandFailure`.
    static func replace(_ path: String, with bytes: [UInt8]) async throws {
        try await BlockingThread.run { () -> Result<Void, CommandFailure> in
            var status = stat()
            guard stat(path, &status) == 0 else { return .failure(failure(path, "cannot be read")) }
            return put(bytes, at: path, mode: status.st_mode & 0o777)
        }.get()
    }

    /// Makes a file that nobody but its owner reads, or puts its content in another's place, all of it or nothing.
    ///
    /// Folders that are missing are made, and are the owner's alone too.
    ///
    /// - Parameter path: Absolute.
    /// - Throws: `CommandFailure`.
    static func replacePrivate(_ path: String, with bytes: [UInt8]) async throws {
        try await BlockingThread.run { () -> Result<Void, CommandFailure> in
            var folder = ""
            for part in path.split(separator: "/").dropLast() {
                folder += "/" + part
                guard mkdir(folder, 0o700) == 0 || errno == EEXIST else {
                    return .failure(failure(folder, "cannot be made"))
                }
            }
            return put(bytes, at: path, mode: 0o600)
        }.get()
    }

    /// Writes beside the file and renames, so that a reader finds the one content or the other.
    private static func put(_ bytes: [UInt8], at path: String, mode: mode_t) -> Result<Void, CommandFailure> {
        // In the same folder, hence in one file system; the process tells two apart.
        let fresh = path + ".\(getpid()).new"
        let descriptor = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard descriptor >= 0 else { return .failure(failure(path, "cannot be written")) }
        defer { close(descriptor) }
        if case .failure(let problem) = write(bytes, to: descriptor, fresh) {
            unlink(fresh)
            return .failure(problem)
        }
        guard rename(fresh, path) == 0 else {
            let problem = failure(path, "cannot be written")
            unlink(fresh)
            return .failure(problem)
        }
        return .success(())
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32, _ path: String) -> Result<Void, CommandFailure> {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return .failure(failure(path, "cannot be written")) }
            rest = rest.dropFirst(count)
        }
        return .success(())
    }

    private static func failure(_ path: String, _ what: String) -> CommandFailure {
        CommandFailure(.failed, "\(path) \(what): \(String(cString: strerror(errno)))")
    }
}
