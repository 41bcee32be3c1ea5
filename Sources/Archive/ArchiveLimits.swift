/// How much an archive may hold, written or read.
public struct ArchiveLimits: Sendable, Hashable {
    /// Most entries.
    public var entriesMaximum: Int
    /// Most bytes of one file.
    public var fileBytesMaximum: Int64
    /// Most bytes of all files together, unpacked.
    public var totalBytesMaximum: Int64
    /// Longest path in bytes.
    public var pathBytesMaximum: Int
    /// Most components of a path.
    public var pathDepthMaximum: Int

    /// Makes limits; the defaults suit the source of a function.
    ///
    /// - Parameters:
    ///   - entriesMaximum: Most entries; 100 000 by default.
    ///   - fileBytesMaximum: Most bytes of one file; 512 MiB by default.
    ///   - totalBytesMaximum: Most bytes of all files together; 1 GiB by default.
    ///   - pathBytesMaximum: Longest path in bytes; 1024 by default, a quarter of what Linux takes.
    ///   - pathDepthMaximum: Most components of a path; 64 by default.
    public init(
        entriesMaximum: Int = 100_000, fileBytesMaximum: Int64 = 512 << 20, totalBytesMaximum: Int64 = 1 << 30,
        pathBytesMaximum: Int = 1024, pathDepthMaximum: Int = 64
    ) {
        self.entriesMaximum = entriesMaximum
        self.fileBytesMaximum = fileBytesMaximum
        self.totalBytesMaximum = totalBytesMaximum
        self.pathBytesMaximum = pathBytesMaximum
        self.pathDepthMaximum = pathDepthMaximum
    }
}

/// What has been counted against the limits so far.
struct ArchiveTally {
    let limits: ArchiveLimits
    private var entries = 0
    private var totalBytes: Int64 = 0

    init(limits: ArchiveLimits) {
        self.limits = limits
    }

    mutating func add(path: ArchivePath, fileBytes: Int64) throws(ArchiveError) {
        entries += 1
        guard entries <= limits.entriesMaximum else {
            throw .limitExceeded(reason: "the archive has more than the \(limits.entriesMaximum) entries allowed")
        }
        guard path.text.utf8.count <= limits.pathBytesMaximum, path.components.count <= limits.pathDepthMaximum else {
            throw .limitExceeded(
                reason: "a path has more than the \(limits.pathBytesMaximum) bytes or "
                    + "\(limits.pathDepthMaximum) components allowed")
        }
        guard fileBytes <= limits.fileBytesMaximum else {
            throw .limitExceeded(
                reason: "\(path.text.debugDescription) has \(fileBytes) bytes, more than the "
                    + "\(limits.fileBytesMaximum) allowed")
        }
        let (sum, overflow) = totalBytes.addingReportingOverflow(fileBytes)
        guard !overflow, sum <= limits.totalBytesMaximum else {
            throw .limitExceeded(
                reason: "the files have more than the \(limits.totalBytesMaximum) bytes allowed together")
        }
        totalBytes = sum
    }
}
