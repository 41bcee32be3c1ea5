import Glibc

/// Files beside the tests.
enum TestVectors {
    struct Missing: Error {
        let path: String
    }

    /// The bytes of a file in `Vectors`.
    static func bytes(_ name: String) throws -> [UInt8] {
        let folder = "/" + #filePath.split(separator: "/").dropLast().joined(separator: "/")
        let path = folder + "/Vectors/" + name
        guard let file = fopen(path, "r") else { throw Missing(path: path) }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        return bytes
    }
}
