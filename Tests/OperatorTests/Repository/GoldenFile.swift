import FoundationEssentials
import JSON
import KubernetesTypes
import Testing

/// Compares an object with its golden file; `FAREBOX_UPDATE_GOLDEN=1` writes the file anew.
enum GoldenFile {
    static func expect(_ object: some KubernetesResource, matches name: String) throws {
        let text = String(decoding: try JSONWriter(style: .pretty).encode(object), as: UTF8.self)
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Golden").appending(path: name)
        if ProcessInfo.processInfo.environment["FAREBOX_UPDATE_GOLDEN"] != nil {
            try Data(text.utf8).write(to: file)
        }
        let golden = String(decoding: try Data(contentsOf: file), as: UTF8.self)
        #expect(text == golden, "Golden/\(name) differs; FAREBOX_UPDATE_GOLDEN=1 renders it anew")
    }
}
