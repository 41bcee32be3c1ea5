import Cryptography
import Glibc
import JSON

/// Files beside the tests.
enum Vectors {
    struct Missing: Error {
        let path: String
    }

    static func load(_ name: String) throws -> JSONValue {
        let folder = "/" + #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        let path = folder + "/Vectors/" + name
        guard let file = fopen(path, "r") else { throw Missing(path: path) }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        return try JSONReader().parse(bytes)
    }
}

extension JSONValue {
    /// The bytes of a member in base64.
    func bytes(_ name: String) -> [UInt8]? { self[name]?.stringValue.flatMap { Base64.decode($0) } }
}
