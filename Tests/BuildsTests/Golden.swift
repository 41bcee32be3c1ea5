import Glibc
import JSON
import Testing

@testable import Builds

/// Compares what is rendered with files under `Golden`; `FAREBOX_UPDATE_GOLDEN=1` writes them anew.
enum Golden {
    static func expect(_ value: some Encodable, matches name: String) throws {
        let text = String(decoding: try JSONWriter(style: .pretty).encode(value), as: UTF8.self) + "\n"
        try expect(text: text, matches: name + ".json")
    }

    static func expect(text: String, matches name: String) throws {
        if getenv("FAREBOX_UPDATE_GOLDEN") != nil {
            try ScratchFolder.write(Array(text.utf8), to: Vectors.folder + "/Golden/" + name)
        }
        let golden = String(decoding: try Vectors.bytes("Golden/" + name), as: UTF8.self)
        #expect(text == golden, "Golden/\(name) differs; FAREBOX_UPDATE_GOLDEN=1 renders it anew")
    }
}
