import Glibc

/// Programs of this package, built together with these tests.
package enum BuiltProgram {
    /// The path of a program, which lies beside the bundle of these tests; nil when it was not built.
    package static func path(_ name: String) -> String? {
        guard let maps = fopen("/proc/self/maps", "r") else { return nil }
        defer { fclose(maps) }
        var line = [CChar](repeating: 0, count: 4096)
        while fgets(&line, Int32(line.count), maps) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard text.contains("PackageTests.xctest"), let start = text.firstIndex(of: "/"),
                let end = text.lastIndex(of: "/")
            else { continue }
            let path = text[start..<end] + "/" + name
            return access(String(path), X_OK) == 0 ? String(path) : nil
        }
        return nil
    }
}
