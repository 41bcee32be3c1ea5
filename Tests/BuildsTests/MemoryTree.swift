import Cryptography

@testable import Builds

/// A tree of source that is only in memory.
struct MemoryTree: SourceTree {
    let entries: [SourceEntry]
    private let contents: [String: [UInt8]]

    init(_ files: [(path: String, kind: SourceEntry.Kind, bytes: [UInt8])]) {
        var contents: [String: [UInt8]] = [:]
        var entries: [SourceEntry] = []
        for file in files {
            let id = SHA256.hash(of: file.bytes).hex
            contents[id] = file.bytes
            entries.append(
                SourceEntry(path: file.path, kind: file.kind, contentID: id, sizeBytes: file.bytes.count))
        }
        self.entries = entries.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        self.contents = contents
    }

    init(_ files: [String: String]) {
        self.init(files.map { ($0.key, .file, Array($0.value.utf8)) })
    }

    func read(_ entry: SourceEntry, bytesMaximum: Int) async throws -> [UInt8] { contents[entry.contentID] ?? [] }

    func open(_ entries: [SourceEntry]) async throws -> any SourceContents { Contents(contents: contents) }

    private struct Contents: SourceContents {
        let contents: [String: [UInt8]]

        func forEachPiece(of entry: SourceEntry, _ body: ([UInt8]) throws -> Void) throws {
            try body(contents[entry.contentID] ?? [])
        }
    }
}
