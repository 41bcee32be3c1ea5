/// How much is kept, and for how long.
struct ArtifactLimits: Sendable, Hashable {
    var artifactBytesMaximum: Int
    var totalBytesMaximum: Int
    var retention: Duration
    var protection: Duration

    /// One artifact on disk.
    struct Entry: Sendable, Hashable {
        let name: String
        let sizeBytes: Int
        /// How long ago it was stored or fetched.
        let age: Duration
    }

    /// Chooses what has to go: what is too old, then the least recently used until `incoming` more bytes fit.
    ///
    /// - Returns: The entries to delete; what is younger than ``protection`` is never among them.
    func entriesToDelete(from entries: [Entry], incoming: Int = 0) -> [Entry] {
        let oldestFirst = entries.sorted { ($0.age, $1.name) > ($1.age, $0.name) }
        // Sums of file sizes of one disk: no overflow.
        var total = entries.reduce(0) { $0 + $1.sizeBytes } + incoming
        return oldestFirst.filter { entry in
            guard entry.age >= protection, entry.age >= retention || total > totalBytesMaximum else { return false }
            total -= entry.sizeBytes
            return true
        }
    }
}
