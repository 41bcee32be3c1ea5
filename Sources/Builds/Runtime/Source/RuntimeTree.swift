/// Runtimes in a commit.
public struct RuntimeTree: Sendable {
    private let limits: RuntimeLimits

    /// Makes a source with limits.
    public init(limits: RuntimeLimits = RuntimeLimits()) { self.limits = limits }

    /// Reads all runtimes of a tree.
    ///
    /// - Parameters:
    ///   - tree: The commit's files.
    ///   - path: The folder with the runtimes; empty for the root, or its folder `template`.
    ///   - source: Where it came from, for people.
    /// - Returns: The runtimes, and what could not be used.
    /// - Throws: ``RuntimeError`` when there is too much; what reading throws.
    public func read(
        _ tree: some SourceTree, path: String, source: String
    ) async throws -> FoundRuntimes {
        let conventional = tree.entries(below: Runtime.sampleFolder)
        let entries = path.isEmpty && !conventional.isEmpty ? conventional : tree.entries(below: path)
        guard !entries.isEmpty else { throw RuntimeError(source, "it has no folder '\(path)'") }
        let bytes = entries.reduce(0) { $0 + $1.sizeBytes }
        guard entries.count <= limits.itemsMaximum, bytes <= limits.sourceBytesMaximum else {
            throw RuntimeError(
                source, "the folder '\(path)' holds more files, or more bytes, than runtimes may have; name another")
        }
        let kept = entries.filter { $0.kind != .submodule }
        let contents = try await tree.open(kept)
        let items = try await BlockingThread.run {
            Result {
                try kept.map { entry in
                    var bytes: [UInt8] = []
                    try contents.forEachPiece(of: entry) { bytes += $0 }
                    let content: RuntimeItem.Content =
                        entry.kind == .link
                        ? .link(String(decoding: bytes, as: UTF8.self))
                        : .file(bytes, isExecutable: entry.kind == .executable)
                    return RuntimeItem(path: entry.path, content: content)
                }
            }
        }.get()
        return RuntimeReader(limits: limits).runtimes(in: items, path: path, source: source)
    }
}
