public import Timing

/// When a gateway asks for a replica of a function that sleeps, as a value: what happens goes in, what to do comes out.
///
/// Somebody who calls a function that has no replica makes it ask once, however many call. What the cluster says about
/// the wanted number of replicas is believed over what was asked: should somebody take the replica away again while calls
/// wait, it is asked for again.
public struct WakeMachine: Sendable {
    /// How long an answer counts as newer than what the watch has told.
    public static let settling = Duration.seconds(2)
    /// The waits between tries that failed, while somebody waits.
    public static let backoff = Backoff(base: .milliseconds(100), ceiling: .seconds(5), jitter: 0.2)

    private enum Call {
        case none
        case underWay
        case pausing
        case answered(ContinuousClock.Instant)
    }

    /// How many replicas the cluster wants, as far as was told.
    public private(set) var replicas: Int
    private var call = Call.none
    private var failures = 0

    /// Makes a machine.
    ///
    /// - Parameter replicas: How many replicas are wanted.
    public init(replicas: Int) {
        self.replicas = replicas
    }

    /// Somebody wants the function, and no address takes calls.
    ///
    /// - Returns: Whether to ask for a replica.
    public mutating func wanted(now: ContinuousClock.Instant) -> Bool {
        guard replicas == 0 else { return false }
        switch call {
        case .underWay, .pausing: return false
        case .answered(let at) where now < at + Self.settling: return false
        case .none, .answered:
            call = .underWay
            return true
        }
    }

    /// The watch told how many replicas are wanted.
    ///
    /// - Returns: Whether to ask for a replica.
    public mutating func told(replicas: Int, isAwaited: Bool, now: ContinuousClock.Instant) -> Bool {
        self.replicas = replicas
        if replicas > 0 {
            if case .answered = call {
                call = .none
            }
            return false
        }
        return isAwaited && wanted(now: now)
    }

    /// What was asked for is granted, or is so already.
    public mutating func answered(now: ContinuousClock.Instant) {
        failures = 0
        call = replicas > 0 ? .none : .answered(now)
    }

    /// Asking failed.
    ///
    /// - Returns: How long to wait before `again`; `nil` when nobody waits for it.
    public mutating func failed(isAwaited: Bool) -> Duration? {
        guard isAwaited else {
            failures = 0
            call = .none
            return nil
        }
        failures += 1
        call = .pausing
        return Self.backoff.delay(afterFailures: failures)
    }

    /// The wait after a failure is over.
    ///
    /// - Returns: Whether to ask once more.
    public mutating func again(isAwaited: Bool) -> Bool {
        guard isAwaited, replicas == 0 else {
            failures = 0
            call = .none
            return false
        }
        call = .underWay
        return true
    }
}
