import Glibc

/// What symbolic links say.
public enum LinkTarget {
    /// Reads a link; nil when it is none, or cannot be read, which `errno` tells.
    ///
    /// - Parameter path: The link, not what it leads to.
    public static func read(_ path: String) -> [UInt8]? {
        var count = -1
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(PATH_MAX)) { buffer, initialized in
            buffer.withMemoryRebound(to: CChar.self) { characters in
                if let base = characters.baseAddress { count = readlink(path, base, characters.count) }
            }
            initialized = max(0, count)
        }
        return count < 0 ? nil : bytes
    }
}
