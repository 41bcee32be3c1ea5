import Cryptography
import Glibc

@testable import Builds

/// A folder of one test, gone when the test is.
final class ScratchPlace: Sendable {
    let path: String

    struct Failure: Error {
        let path: String
    }

    init() throws {
        path = "/tmp/farebox-test-" + Hex.encode(randomBytes(8))
        guard mkdir(path, 0o700) == 0 else { throw Failure(path: path) }
    }

    deinit { ScratchFolder(existing: path).remove() }

    /// Writes a file, with the folders it needs.
    func write(_ text: String, to name: String) throws {
        var folder = path
        for part in name.split(separator: "/").dropLast() {
            folder += "/" + part
            mkdir(folder, 0o755)
        }
        try ScratchFolder.write(Array(text.utf8), to: path + "/" + name)
    }
}
