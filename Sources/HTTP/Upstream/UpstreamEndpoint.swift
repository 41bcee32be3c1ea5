import Synchronization

/// One address that requests are proxied to, with what all loops know of it.
///
/// Keep one object per address for as long as the address lasts: the count of requests under way and the pooled
/// connections belong to the object.
public final class UpstreamEndpoint: Sendable {
    private static let nextID = Atomic<UInt64>(1)

    /// Where it is.
    public let address: SocketAddress
    /// Never used twice in a process, unlike an object's address.
    let id: UInt64
    private let inFlightCount = Atomic<Int>(0)
    private let isRetiredFlag = Atomic<Bool>(false)
    private let watchers = Mutex<[@Sendable () -> Void]>([])

    /// Makes an endpoint that nothing is connected to yet.
    public init(address: SocketAddress) {
        self.address = address
        id = Self.nextID.add(1, ordering: .relaxed).oldValue
    }

    /// Requests under way to it, over all loops.
    public var inFlight: Int { inFlightCount.load(ordering: .relaxed) }

    /// Whether it takes no new requests any more.
    public var isRetired: Bool { isRetiredFlag.load(ordering: .relaxed) }

    /// Says that the address is going away: what is under way finishes, connections are not kept, and idle ones close.
    ///
    /// Many servers wait at their end until each connection is closed, however idle.
    public func retire() {
        isRetiredFlag.store(true, ordering: .relaxed)
        let waiting = watchers.withLock { watchers in
            defer { watchers = [] }
            return watchers
        }
        for watcher in waiting {
            watcher()
        }
    }

    /// Calls `watcher` once when the endpoint is retired, on the thread that says so; at once when it is already.
    func whenRetired(_ watcher: @escaping @Sendable () -> Void) {
        let isTooLate = watchers.withLock { watchers in
            guard !isRetired else { return true }
            watchers.append(watcher)
            return false
        }
        if isTooLate {
            watcher()
        }
    }

    func requestStarted() {
        inFlightCount.add(1, ordering: .relaxed)
    }

    func requestEnded() {
        inFlightCount.subtract(1, ordering: .relaxed)
    }
}
