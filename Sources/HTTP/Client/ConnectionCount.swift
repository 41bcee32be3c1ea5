import Synchronization

/// How many connections a client has begun.
final class ConnectionCount: Sendable {
    private let count = Atomic<Int>(0)

    /// The number so far.
    var value: Int { count.load(ordering: .relaxed) }

    func increment() {
        count.wrappingAdd(1, ordering: .relaxed)
    }
}
