import Cryptography
import Glibc

/// The files with the keys that build secrets are sealed for: the present one, and beside it the one that it replaced.
///
/// They are a mounted Secret, which may be made while the builder runs. No file means no build secrets; a file that holds
/// no key is a mistake that is told, since clients would otherwise only hear that there are no build secrets here.
struct BuildSecretKeyFile: Sendable {
    /// Of the present key; the former one has `.former` behind it.
    let path: String

    static let formerSuffix = ".former"
    private static let bytesMaximum = 4096

    /// Reads the keys.
    ///
    /// Blocks.
    ///
    /// - Returns: nil when there are no files.
    /// - Throws: ``BuildSecretKeyError``.
    func read() throws(BuildSecretKeyError) -> BuildSecretKeys? {
        let former = try key(path + Self.formerSuffix)
        guard let present = try key(path) else {
            let others = neighbours
            guard others.isEmpty else { throw .missing(path, others: others) }
            return nil
        }
        return BuildSecretKeys(present, former: former)
    }

    private func key(_ path: String) throws(BuildSecretKeyError) -> BuildSecretKeys.Pair? {
        guard let file = fopen(path, "re") else {
            if errno == ENOENT { return nil }
            throw .unreadable(path, code: errno)
        }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: Self.bytesMaximum)
        let count = fread(&bytes, 1, bytes.count, file)
        guard ferror(file) == 0 else { throw .unreadable(path, code: errno) }
        guard let key = BuildSecretKeys.Pair(text: String(decoding: bytes[..<count], as: UTF8.self)) else {
            throw .malformed(path)
        }
        return key
    }

    /// What a Secret has whose keys were named otherwise; an absent Secret is an empty folder.
    private var neighbours: [String] {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        guard let handle = opendir(folder) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }
}

/// What is wrong with the files of ``BuildSecretKeyFile``: for the administrator, without anything of a key.
enum BuildSecretKeyError: Error, Hashable, CustomStringConvertible {
    /// The file is there and cannot be read, with this `errno`.
    case unreadable(String, code: Int32)
    /// The file holds no key.
    case malformed(String)
    /// There are other files where this one should be.
    case missing(String, others: [String])

    var description: String {
        switch self {
        case .unreadable(let path, let code):
            "the key for build secrets cannot be read from \(path): \(String(cString: strerror(code)))"
        case .malformed(let path):
            "\(path) must hold 32 bytes in base64, as `faas-cli secret keygen` writes them; "
                + "make the Secret farebox-builder-key anew"
        case .missing(let path, let others):
            "there is no \(path), but \(others.joined(separator: ", ")); the Secret farebox-builder-key must have "
                + "the private key as `key`"
        }
    }
}
