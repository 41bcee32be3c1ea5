import Glibc

/// What the operating system says about one file.
struct FileStatus {
    enum Kind {
        case file
        case directory
        case symbolicLink
        case other
    }

    let kind: Kind
    let size: Int64
    let isExecutable: Bool

    /// Asks about an open file.
    init(of descriptor: Int32, path: String) throws(ArchiveError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system(operation: "stat", path: path, code: errno) }
        self.init(status)
    }

    /// Asks about a path; a symbolic link is not followed.
    init(at path: String) throws(ArchiveError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { throw .system(operation: "stat", path: path, code: errno) }
        self.init(status)
    }

    private init(_ status: stat) {
        switch status.st_mode & S_IFMT {
        case S_IFREG: kind = .file
        case S_IFDIR: kind = .directory
        case S_IFLNK: kind = .symbolicLink
        default: kind = .other
        }
        size = Int64(status.st_size)
        isExecutable = status.st_mode & S_IXUSR != 0
    }
}
