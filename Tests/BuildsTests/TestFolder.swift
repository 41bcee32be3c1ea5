import Cryptography
import Glibc

@testable import Builds

/// A folder of one test, gone when the test is.
final class TestFolder: Sendable {
    let path: String

    init() throws {
        path = "/tmp/farebox-test-" + ScratchFolder.randomName()
        guard mkdir(path, 0o700) == 0 else { throw ScratchError.cannotCreate(path, code: errno) }
    }

    deinit {
        let keep = getenv("FAREBOX_KEEP_TEST_FOLDERS") != nil
        if !keep { ScratchFolder(existing: path).remove() }
    }

    /// Writes a file below the folder, with the folders it needs.
    func write(_ text: String, to name: String) throws {
        try write(Array(text.utf8), to: name)
    }

    func write(_ bytes: [UInt8], to name: String) throws {
        var folder = path
        for part in name.split(separator: "/").dropLast() {
            folder += "/" + part
            mkdir(folder, 0o755)
        }
        try ScratchFolder.write(bytes, to: path + "/" + name)
    }

    /// The names in the folder itself.
    var names: [String] {
        var names: [String] = []
        guard let handle = opendir(path) else { return [] }
        defer { closedir(handle) }
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
