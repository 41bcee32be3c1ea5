import Synchronization

/// Where the newest table hangs: written by whoever watches the cluster, read by every loop on every request.
///
/// A loop keeps the table that it read last and looks at one number to learn that there is a newer one; the lock is
/// only taken then.
final class RouteBoard: Sendable {
    private final class Cache: @unchecked Sendable {
        // SAFETY: each loop touches only the cache with its own number, on its own thread.
        var version: UInt64 = 0
        var table = RouteTable()
    }

    private let current = Mutex(RouteTable())
    private let version = Atomic<UInt64>(0)
    private let caches: [Cache]

    /// Makes an empty board for so many loops.
    init(loops: Int) {
        caches = (0..<max(1, loops)).map { _ in Cache() }
    }

    /// Changes the table; readers see all of the change or nothing.
    func update(_ change: (inout RouteTable) -> Void) {
        current.withLock { table in
            change(&table)
            version.add(1, ordering: .releasing)
        }
    }

    /// The newest table, for anybody.
    var table: RouteTable {
        current.withLock { $0 }
    }

    /// Looks into the newest table from loop number `loop`, which must be the caller's own.
    func read<Result>(onLoop loop: Int, _ body: (borrowing RouteTable) -> Result) -> Result {
        let cache = caches[loop]
        let newest = version.load(ordering: .acquiring)
        if cache.version != newest {
            // Whatever is published between the two reads is only seen earlier than its number.
            cache.table = current.withLock { $0 }
            cache.version = newest
        }
        return body(cache.table)
    }
}
