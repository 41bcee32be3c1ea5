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
    /// Requests in a row that it failed.
    private let failureCount = Atomic<Int>(0)
    /// Until when others are better, in nanoseconds of the monotonic clock; 0 for an endpoint in good health.
    private let ejectedUntil = Atomic<UInt64>(0)
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

    /// Counts one more request under way, unless there are `maximum` already.
    ///
    /// For ``ProxyDestination/endpoint(avoiding:random:)``; the proxy says when the request is over.
    public func begin(maximum: Int? = nil) -> Bool {
        let before = inFlightCount.add(1, ordering: .relaxed).oldValue
        if let maximum, before >= maximum {
            inFlightCount.subtract(1, ordering: .relaxed)
            return false
        }
        return true
    }

    func requestEnded() {
        inFlightCount.subtract(1, ordering: .relaxed)
    }

    // MARK: Health

    /// Failures in a row after which an endpoint is passed over.
    static let failuresMaximum = 3
    /// For how long it is passed over the first time; each further failure doubles it.
    static let ejectionSeconds: UInt64 = 1
    /// For how long at most.
    static let ejectionSecondsMaximum: UInt64 = 32

    /// Whether it failed so often of late that another endpoint is better.
    ///
    /// Who has no other still uses it: a doubtful answer is better than none. After a while it gets requests again, and the
    /// first answer ends all doubt.
    public var isEjected: Bool {
        let until = ejectedUntil.load(ordering: .relaxed)
        return until != 0 && EventLoop.monotonicNow() < until
    }

    /// Notes that it could not be connected to, broke off before an answer, or answered nonsense or not in time.
    ///
    /// - Returns: Whether it is passed over from now on.
    func failed(now: UInt64) -> Bool {
        let failures = failureCount.add(1, ordering: .relaxed).newValue
        guard failures >= Self.failuresMaximum else { return false }
        let doublings = UInt64(min(failures - Self.failuresMaximum, 5))
        let seconds = min(Self.ejectionSeconds << doublings, Self.ejectionSecondsMaximum)
        ejectedUntil.store(now &+ seconds &* 1_000_000_000, ordering: .relaxed)
        return true
    }

    /// Notes that an answer began, whatever its status.
    func answered() {
        guard failureCount.load(ordering: .relaxed) != 0 else { return }
        failureCount.store(0, ordering: .relaxed)
        ejectedUntil.store(0, ordering: .relaxed)
    }
}
