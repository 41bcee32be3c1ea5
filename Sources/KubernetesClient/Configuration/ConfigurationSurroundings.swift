import Glibc

/// What a configuration is made from: variables, files and the home folder.
///
/// A test passes its own.
public struct ConfigurationSurroundings: Sendable {
    /// Reads a variable; `nil` when it is not set.
    var variable: @Sendable (String) -> String?
    /// Reads a whole file; `nil` when there is none.
    ///
    /// Throws ``ConfigurationError/unreadable(path:reason:)`` when there is one that cannot be read.
    var file: @Sendable (String) throws(ConfigurationError) -> [UInt8]?

    /// Makes surroundings.
    init(
        variable: @escaping @Sendable (String) -> String?,
        file: @escaping @Sendable (String) throws(ConfigurationError) -> [UInt8]?
    ) {
        self.variable = variable
        self.file = file
    }

    /// Those of this process.
    public static let process = ConfigurationSurroundings(
        variable: { name in getenv(name).map { String(cString: $0) } },
        file: { path throws(ConfigurationError) in try SmallFile.read(path) })
}

/// Reads files of a few kilobytes.
enum SmallFile {
    /// Larger files are refused; certificate bundles have up to about 300 KiB.
    static let bytesMaximum = 4 << 20

    /// Returns the contents of a file, or `nil` when there is none.
    ///
    /// - Throws: ``ConfigurationError/unreadable(path:reason:)``.
    static func read(_ path: String) throws(ConfigurationError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw .unreadable(path: path, reason: String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        var contents: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count == 0 { return contents }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw .unreadable(path: path, reason: String(cString: strerror(errno)))
            }
            contents.append(contentsOf: buffer[..<count])
            guard contents.count <= bytesMaximum else {
                throw .unreadable(path: path, reason: "it has more than \(bytesMaximum) bytes")
            }
        }
    }
}
