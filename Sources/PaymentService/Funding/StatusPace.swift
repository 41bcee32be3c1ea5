import KubernetesTypes
import Synchronization

/// Keeps the writes to one status apart: balances move with each call, and nobody reads them that often.
final class StatusPace: Sendable {
    /// A status is written at most this often.
    static let intervalDefault = Duration.seconds(10)
    /// Beyond it, objects whose time is over are forgotten.
    private static let objectsMaximum = 10_000

    private let interval: Duration
    private let written = Mutex<[ObjectKey: ContinuousClock.Instant]>([:])

    init(interval: Duration = StatusPace.intervalDefault) {
        self.interval = interval
    }

    /// How long an object's next write has to wait; nil when it may be made at once.
    func wait(_ key: ObjectKey, now: ContinuousClock.Instant = .now) -> Duration? {
        guard let last = written.withLock({ $0[key] }) else { return nil }
        let rest = interval - (now - last)
        return rest > .zero ? rest : nil
    }

    /// Takes note of a write.
    func note(_ key: ObjectKey, now: ContinuousClock.Instant = .now) {
        let interval = interval
        written.withLock { written in
            if written.count >= Self.objectsMaximum { written = written.filter { now - $0.value < interval } }
            written[key] = now
        }
    }

    /// An object is gone.
    func forget(_ key: ObjectKey) {
        written.withLock { _ = $0.removeValue(forKey: key) }
    }
}
