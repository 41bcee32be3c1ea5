import Synchronization
import Timing

/// A wall clock that stands still until it is moved.
final class TestClock: Sendable {
    private let time = Mutex(Timestamp(secondsSinceEpoch: 1_800_000_000))

    var now: Timestamp { time.withLock { $0 } }

    func advance(by duration: Duration) { time.withLock { $0 = $0 + duration } }
}
