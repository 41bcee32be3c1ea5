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

    /// Makes an endpoint that nothing is connected to yet.
    public init(address: SocketAddress) {
        self.address = address
        id = Self.nextID.add(1, ordering: .relaxed).oldValue
    }

    /// Requests under way to it, over all loops.
    public var inFlight: Int { inFlightCount.load(ordering: .relaxed) }

    /// Whether it takes no new requests any more.
    public var isRetired: Bool { isRetiredFlag.load(ordering: .relaxed) }

    /// Says that the address is going away: what is under way finishes, connections are not kept.
    public func retire() {
        isRetiredFlag.store(true, ordering: .relaxed)
    }

    func requestStarted() {
        inFlightCount.add(1, ordering: .relaxed)
    }

    func requestEnded() {
        inFlightCount.subtract(1, ordering: .relaxed)
    }
}
