import Synchronization

/// How many things may be under way at once: in all, and for one name.
///
/// Nobody waits: what is too much is refused at once, so that no queue grows and the caller comes back later.
final class FlightLimit: Sendable {
    private struct State {
        var all = 0
        var byName: [String: Int] = [:]
    }

    private let maximum: Int
    private let perNameMaximum: Int
    private let state = Mutex(State())

    /// Makes a limit.
    ///
    /// - Parameters:
    ///   - maximum: In all.
    ///   - perNameMaximum: Of one name; as many as in all by default.
    init(maximum: Int, perNameMaximum: Int? = nil) {
        self.maximum = maximum
        self.perNameMaximum = perNameMaximum ?? maximum
    }

    /// How many are under way.
    var count: Int { state.withLock { $0.all } }

    /// Takes a place; false when there is none.
    func enter(_ name: String = "") -> Bool {
        state.withLock { state in
            guard state.all < maximum, state.byName[name, default: 0] < perNameMaximum else { return false }
            state.all += 1
            state.byName[name, default: 0] += 1
            return true
        }
    }

    /// Gives a place back that ``enter(_:)`` gave.
    func leave(_ name: String = "") {
        state.withLock { state in
            state.all -= 1
            let left = state.byName[name, default: 1] - 1
            state.byName[name] = left > 0 ? left : nil
        }
    }
}
