import Glibc

/// Why an archive could not be written or read.
public enum ArchiveError: Error, Hashable, Sendable {
    /// An entry that no good archive has: it would leave the tree, or is neither file, directory nor link.
    case unsafeEntry(path: String, reason: String)
    /// The archive has more or larger entries than allowed.
    case limitExceeded(reason: String)
    /// The bytes are no whole tar archive.
    case malformed(reason: String)
    /// A file changed while it was put into the archive; doing it again may help.
    case sourceChanged(path: String)
    /// The operating system refused.
    case system(operation: String, path: String, code: Int32)
}

extension ArchiveError: CustomStringConvertible {
    /// One line for a person.
    public var description: String {
        switch self {
        case .unsafeEntry(let path, let reason): "\(path.debugDescription): \(reason)"
        case .limitExceeded(let reason), .malformed(let reason): reason
        case .sourceChanged(let path): "\(path.debugDescription) changed while it was read"
        case .system(let operation, let path, let code):
            "\(operation) \(path.debugDescription): \(String(cString: strerror(code)))"
        }
    }
}
