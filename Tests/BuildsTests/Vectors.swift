import Glibc
import JSON

/// Files beside the tests.
enum Vectors {
    struct Missing: Error {
        let path: String
    }

    static func load(_ name: String) throws -> JSONValue {
        try JSONReader().parse(try bytes("Vectors/" + name))
    }

    /// The bytes of a file in the folder of these tests.
    static func bytes(_ name: String) throws -> [UInt8] { try read(folder + "/" + name) }

    /// The bytes of any file.
    static func read(_ path: String) throws -> [UInt8] {
        guard let file = fopen(path, "r") else { throw Missing(path: path) }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        return bytes
    }

    static var folder: String { "/" + #filePath.split(separator: "/").dropLast().joined(separator: "/") }
}
