import Glibc
import Testing

/// A directory that is gone after the test.
final class Scratch {
    let path: String

    init() throws {
        var template = Array("/tmp/farebox-archive-XXXXXX".utf8CString)
        path = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    deinit {
        _ = system("rm -rf '\(path)'")
    }

    /// Runs a shell command in the directory.
    func run(_ command: String) -> Bool {
        system("cd '\(path)' && exec 2>/dev/null && \(command)") == 0
    }

    func write(_ bytes: [UInt8], to name: String, mode: mode_t = 0o644) throws {
        let file = try #require(fopen(path + "/" + name, "w"))
        fwrite(bytes, 1, bytes.count, file)
        fclose(file)
        chmod(path + "/" + name, mode)
    }

    func read(_ name: String) throws -> [UInt8] {
        let file = try #require(fopen(path + "/" + name, "r"))
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { return bytes }
            bytes += buffer.prefix(count)
        }
    }
}
