import Glibc

/// Runtimes in a folder on disk: the ones of the image, or a mounted volume.
public struct RuntimeFolder: Sendable {
    private let path: String
    private let limits: RuntimeLimits

    /// Makes a source.
    ///
    /// - Parameters:
    ///   - path: The folder with one folder for each runtime.
    ///   - limits: How large they may be.
    public init(_ path: String, limits: RuntimeLimits = RuntimeLimits()) {
        self.path = path
        self.limits = limits
    }

    /// Reads all runtimes; a folder that is not there holds none.
    ///
    /// - Returns: The runtimes, and what could not be used.
    /// - Throws: ``RuntimeError`` when the folder cannot be read or holds too much.
    public func read() async throws -> FoundRuntimes {
        let items = try await BlockingThread.run { Result { try self.items() } }.get()
        return RuntimeReader(limits: limits).runtimes(in: items, path: "", source: path)
    }

    private func items() throws -> [RuntimeItem] {
        var items: [RuntimeItem] = []
        var bytes = 0
        try walk("", &items, &bytes)
        return items
    }

    /// Takes what a folder holds; at the top, names that begin with a dot are left out (`.git` is no runtime).
    private func walk(_ folder: String, _ items: inout [RuntimeItem], _ bytes: inout Int) throws {
        guard folder.split(separator: "/").count <= limits.depthMaximum else {
            throw RuntimeError(path, "\(folder.prefix(80))… is nested too deep")
        }
        let here = folder.isEmpty ? path : path + "/" + folder
        guard let handle = opendir(here) else {
            if folder.isEmpty, errno == ENOENT { return }
            throw RuntimeError(path, "\(here) cannot be read: error \(errno)")
        }
        defer { closedir(handle) }
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." || (folder.isEmpty && name.hasPrefix(".")) { continue }
            let relative = folder.isEmpty ? name : folder + "/" + name
            var status = stat()
            guard lstat(path + "/" + relative, &status) == 0 else { continue }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: try walk(relative, &items, &bytes)
            case S_IFREG:
                bytes += Int(status.st_size)
                try check(items.count, bytes)
                let content = try Self.content(path + "/" + relative, bytesMaximum: limits.bytesMaximum)
                items.append(
                    RuntimeItem(
                        path: relative, content: .file(content, isExecutable: status.st_mode & S_IXUSR != 0)))
            case S_IFLNK:
                try check(items.count, bytes)
                let target = LinkTarget.read(path + "/" + relative) ?? []
                items.append(RuntimeItem(path: relative, content: .link(String(decoding: target, as: UTF8.self))))
            default: throw RuntimeError(path, "\(relative) is neither a file nor a folder nor a link")
            }
        }
    }

    private func check(_ count: Int, _ bytes: Int) throws {
        guard count < limits.itemsMaximum, bytes <= limits.sourceBytesMaximum else {
            throw RuntimeError(path, "it holds more files, or more bytes, than runtimes may have")
        }
    }

    private static func content(_ path: String, bytesMaximum: Int) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw RuntimeError(path, "it cannot be read: error \(errno)") }
        defer { close(descriptor) }
        var result: [UInt8] = []
        while true {
            var count = 0
            result += [UInt8](unsafeUninitializedCapacity: 64 << 10) { buffer, initialized in
                count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                initialized = max(0, count)
            }
            guard count >= 0 else { throw RuntimeError(path, "it cannot be read: error \(errno)") }
            guard result.count <= bytesMaximum else {
                throw RuntimeError(path, "it has more than \(bytesMaximum) bytes")
            }
            if count == 0 { return result }
        }
    }
}
