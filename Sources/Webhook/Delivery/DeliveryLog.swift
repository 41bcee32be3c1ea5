import Synchronization

/// The deliveries that were carried out, so that a repeated one changes nothing.
///
/// Bounded: past `capacity` the oldest is forgotten. It lives in one process; what must hold across replicas and restarts
/// is that carrying out a delivery twice is harmless.
final class DeliveryLog: Sendable {
    private struct State {
        var known: Set<String> = []
        var order: [String] = []
        var next = 0
    }

    /// 10,000 identifiers of 36 bytes: under 2 MB, and some hours of a busy organisation.
    static let capacity = 10_000

    private let capacity: Int
    private let state = Mutex(State())

    init(capacity: Int = DeliveryLog.capacity) {
        precondition(capacity > 0, "a log of deliveries holds at least one")
        self.capacity = capacity
    }

    /// Whether `identifier` was carried out before.
    func contains(_ identifier: String) -> Bool {
        state.withLock { $0.known.contains(identifier) }
    }

    /// Notes that `identifier` was carried out.
    func insert(_ identifier: String) {
        state.withLock { state in
            guard state.known.insert(identifier).inserted else { return }
            if state.order.count < capacity {
                state.order.append(identifier)
            } else {
                state.known.remove(state.order[state.next])
                state.order[state.next] = identifier
                state.next = (state.next + 1) % capacity
            }
        }
    }
}
