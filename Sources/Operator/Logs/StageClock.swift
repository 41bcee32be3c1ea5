import Synchronization

/// Remembers when something began, until it ends.
///
/// For metrics only: what a process that ends takes with it is not measured.
final class StageClock: Sendable {
    private let begun = Mutex<[String: ContinuousClock.Instant]>([:])

    /// More are forgotten at once.
    private static let remembered = 10_000

    /// Notes that something begins now, unless it has begun already.
    func begin(_ key: String, anew: Bool = false) {
        begun.withLock { begun in
            if begun.count >= Self.remembered { begun = [:] }
            if anew || begun[key] == nil { begun[key] = .now }
        }
    }

    /// How long it took; nil when its begin is not known.
    func end(_ key: String) -> Duration? {
        begun.withLock { $0.removeValue(forKey: key) }.map { $0.duration(to: .now) }
    }
}
