import Glibc

/// A file of a mounted Secret.
enum SecretFile {
    /// Longer files hold something else.
    private static let bytesMaximum = 4096

    /// What is in the file, without white space around it; nil when it cannot be read or holds nothing.
    static func read(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: bytesMaximum + 1)
        let count = fread(&bytes, 1, bytes.count, file)
        guard count <= bytesMaximum, ferror(file) == 0 else { return nil }
        let isBlank = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
        let trimmed = bytes[..<count].drop(while: isBlank).reversed().drop(while: isBlank).reversed()
        return trimmed.isEmpty ? nil : Array(trimmed)
    }
}
