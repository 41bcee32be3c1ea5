import Cryptography
import Glibc

/// A folder for one piece of work, readable by us alone, removed with all it holds.
struct ScratchFolder: Sendable {
    let path: String

    /// Makes a folder with an unguessable name.
    ///
    /// - Throws: ``ScratchError/cannotCreate(_:code:)``.
    init(in parent: String, prefix: String) throws {
        path = parent + "/" + prefix + Self.randomName()
        guard mkdir(path, 0o700) == 0 else { throw ScratchError.cannotCreate(path, code: errno) }
    }

    /// A folder that is there already.
    init(existing path: String) { self.path = path }

    /// Removes the folder and what is in it; links are removed, never followed.
    func remove() { Self.remove(path) }

    /// 16 hex digits.
    static func randomName() -> String { Hex.encode(randomBytes(8)) }

    /// Bytes of all files below a folder, 0 when it cannot be read.
    static func bytes(below folder: String) -> Int {
        var total = 0
        forEachEntry(of: folder) { path, status in
            total &+= status.st_mode & S_IFMT == S_IFDIR ? bytes(below: path) : Int(status.st_size)
        }
        return total
    }

    /// Writes a whole new file.
    static func write(_ bytes: [UInt8], to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw ScratchError.cannotOpen(path, code: errno) }
        defer { close(descriptor) }
        try write(bytes, to: descriptor)
    }

    /// Writes all bytes to an open file.
    static func write(_ bytes: [UInt8], to descriptor: Int32) throws {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(descriptor, buffer.baseAddress?.advanced(by: done), bytes.count - done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw ScratchError.cannotWrite(code: errno) }
            done += count
        }
    }

    /// Removes one file, if it is there.
    static func removeFile(_ path: String) { unlink(path) }

    private static func remove(_ path: String) {
        forEachEntry(of: path) { child, status in
            if status.st_mode & S_IFMT == S_IFDIR { remove(child) } else { unlink(child) }
        }
        rmdir(path)
    }

    private static func forEachEntry(of folder: String, _ body: (String, stat) -> Void) {
        guard let handle = opendir(folder) else { return }
        defer { closedir(handle) }
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name != ".", name != ".." else { continue }
            var status = stat()
            let path = folder + "/" + name
            if lstat(path, &status) == 0 { body(path, status) }
        }
    }
}

/// What can go wrong with our own folder; the code is `errno`.
enum ScratchError: Error, Equatable {
    case cannotCreate(String, code: Int32)
    case cannotOpen(String, code: Int32)
    case cannotRead(code: Int32)
    case cannotWrite(code: Int32)
}
