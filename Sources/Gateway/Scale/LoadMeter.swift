import Synchronization

/// Measures how busy one function is at this gateway: calls under way, the sum of their times, and how long there is none.
///
/// Only functions that scale by it have one.
final class LoadMeter: Sendable {
    /// What the meter shows.
    struct Reading: Equatable, Sendable {
        /// Calls under way.
        let inFlight: Int
        /// The sum of the times of all calls so far, those under way included.
        let busy: Duration
        /// How long no call was under way; zero while one is.
        let idle: Duration
    }

    fileprivate struct State {
        var inFlight = 0
        var busy = Duration.zero
        var changedAt = ContinuousClock.Instant.now
        var hasBegun = false
    }

    private let state = Mutex(State())

    /// A call begins, or begins to wait; it ends with `ended`.
    func began(at now: ContinuousClock.Instant = .now) {
        state.withLock { state in
            state.pass(to: now)
            state.inFlight += 1
            state.hasBegun = true
        }
    }

    /// A call is over, or waits no longer.
    func ended(at now: ContinuousClock.Instant = .now) {
        state.withLock { state in
            state.pass(to: now)
            state.inFlight -= 1
        }
    }

    /// What it shows now; `nil` before the first call.
    func read(at now: ContinuousClock.Instant = .now) -> Reading? {
        state.withLock { state in
            guard state.hasBegun else { return nil }
            let passed = max(.zero, state.changedAt.duration(to: now))
            return Reading(
                inFlight: state.inFlight, busy: state.busy + passed * state.inFlight,
                idle: state.inFlight > 0 ? .zero : passed)
        }
    }
}

extension LoadMeter.State {
    /// Counts the time since the last change; loops may come a little late to the lock, and time never runs back.
    fileprivate mutating func pass(to now: ContinuousClock.Instant) {
        guard now > changedAt else { return }
        busy += changedAt.duration(to: now) * inFlight
        changedAt = now
    }
}
