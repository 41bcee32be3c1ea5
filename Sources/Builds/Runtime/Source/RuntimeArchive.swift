import Archive

/// Runtimes in the layers of an OCI artifact: tar archives, plain or by gzip, each laid over the ones before.
public struct RuntimeArchive: Sendable {
    private let limits: RuntimeLimits

    /// Makes a source with limits.
    public init(limits: RuntimeLimits = RuntimeLimits()) { self.limits = limits }

    /// Reads all runtimes of some layers.
    ///
    /// - Parameters:
    ///   - layers: The archives in their order.
    ///   - path: The folder with the runtimes; empty for the root, or its folder `template`.
    ///   - source: Where it came from, for people.
    /// - Returns: The runtimes, and what could not be used.
    /// - Throws: ``RuntimeError`` when an archive cannot be read or holds too much.
    public func read(
        _ layers: [[UInt8]], path: String, source: String
    ) async throws -> FoundRuntimes {
        let items = try await BlockingThread.run { Result { try self.items(layers, source) } }.get()
        return RuntimeReader(limits: limits).runtimes(in: items, path: path, source: source)
    }

    private func items(_ layers: [[UInt8]], _ source: String) throws -> [RuntimeItem] {
        let limits = ArchiveLimits(
            entriesMaximum: limits.itemsMaximum * 2, fileBytesMaximum: Int64(limits.bytesMaximum),
            totalBytesMaximum: Int64(limits.sourceBytesMaximum), pathBytesMaximum: 1024)
        var contents: [String: RuntimeItem.Content] = [:]
        for layer in layers {
            do {
                let reader = try TarReader(bytes: layer, limits: limits)
                while let entry = try reader.next() {
                    switch entry.kind {
                    case .directory: break
                    case .symbolicLink(let target): contents[entry.path] = .link(target)
                    case .hardLink(let path): contents[entry.path] = contents[path]
                    case .file:
                        let bytes = try reader.content(bytesMaximum: self.limits.bytesMaximum)
                        contents[entry.path] = .file(bytes, isExecutable: entry.isExecutable)
                    }
                }
            } catch {
                throw RuntimeError(source, "a layer cannot be read: \(error)")
            }
        }
        let bytes = contents.reduce(0) { $0 + RuntimeItem(path: $1.key, content: $1.value).sizeBytes }
        guard contents.count <= self.limits.itemsMaximum, bytes <= self.limits.sourceBytesMaximum else {
            throw RuntimeError(source, "it holds more files, or more bytes, than runtimes may have")
        }
        return contents.map { RuntimeItem(path: $0.key, content: $0.value) }
    }
}
