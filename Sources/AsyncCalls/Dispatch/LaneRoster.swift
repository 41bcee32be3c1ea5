/// Which lanes have workers: a value.
///
/// A worker that finds nothing for a while leaves, unless something came into its lane since it began to look: then nobody
/// else would see that.
struct LaneRoster {
    private struct Entry {
        var workers: Int
        /// Counts what came into the lane.
        var arrivals: UInt64 = 0
    }

    private var entries: [CallLane: Entry] = [:]

    /// Lanes that have workers.
    var count: Int { entries.count }

    /// Something came into a lane.
    ///
    /// - Parameter workers: How many it should have.
    /// - Returns: How many have to be started.
    mutating func arrived(in lane: CallLane, workers: Int) -> Int {
        var entry = entries[lane] ?? Entry(workers: 0)
        entry.arrivals += 1
        let missing = max(0, workers - entry.workers)
        entry.workers += missing
        entries[lane] = entry
        return missing
    }

    /// What has come into a lane so far.
    func arrivals(in lane: CallLane) -> UInt64 {
        entries[lane]?.arrivals ?? 0
    }

    /// A worker found nothing.
    ///
    /// - Parameter arrivals: What had come into the lane when it began to look.
    /// - Returns: Whether it leaves; else it looks again.
    mutating func leave(_ lane: CallLane, seen arrivals: UInt64) -> Bool {
        guard var entry = entries[lane] else { return true }
        guard entry.arrivals == arrivals else { return false }
        entry.workers -= 1
        entries[lane] = entry.workers > 0 ? entry : nil
        return true
    }
}
