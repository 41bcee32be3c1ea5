import HTTP
import KubernetesTypes
import Scaling
import Synchronization
import Telemetry

/// The bed of one function: whether it is up, the calls that wait for it, and the one request that wakes it.
///
/// It outlives the function's routes, and is the gate that all loops' calls wait at.
final class FunctionWake: RequestGate {
    private struct Waiter {
        let resume: @Sendable () -> Void
        let since: ContinuousClock.Instant
    }

    private struct State {
        var machine: WakeMachine
        var version = ""
        var isUp = true
        var waiters: [UInt64: Waiter] = [:]
        var lastNumber: UInt64 = 0
        var askedAt: ContinuousClock.Instant?
        var answeredAt: ContinuousClock.Instant?
        /// When somebody began to wait, of those who wait now and of the last who did.
        var awaitedSince: ContinuousClock.Instant?
        /// What the last ones waited for.
        var timing = ""
    }

    private let key: ObjectKey
    private let waker: any FunctionWaker
    private let waitingMaximum: Int
    private let meter: LoadMeter
    private let calls: FunctionCalls
    private let metrics: GatewayMetrics
    private let state: Mutex<State>

    /// Makes the bed of a function that is taken for up until somebody tells.
    ///
    /// - Parameters:
    ///   - waker: Who starts it.
    ///   - waitingMaximum: How many calls may wait at once.
    ///   - meter: Counts those that wait, since they need replicas as well.
    ///   - calls: Counts those that waited too long.
    init(
        of key: ObjectKey, waker: any FunctionWaker, waitingMaximum: Int, meter: LoadMeter, calls: FunctionCalls,
        metrics: GatewayMetrics
    ) {
        self.key = key
        self.waker = waker
        self.waitingMaximum = waitingMaximum
        self.meter = meter
        self.calls = calls
        self.metrics = metrics
        state = Mutex(State(machine: WakeMachine(replicas: 1)))
    }

    // MARK: Calls

    /// Somebody calls the function and finds it asleep: it is asked for, unless that has been done.
    ///
    /// - Returns: Whether the call may wait; not when as many wait as may.
    func call() -> Bool {
        let (mayWait, asks) = state.withLock { state in
            (state.waiters.count < waitingMaximum, !state.isUp && state.machine.wanted(now: .now))
        }
        if asks {
            ask()
        }
        return mayWait
    }

    @discardableResult
    func whenOpen(_ resume: @escaping @Sendable () -> Void) -> UInt64 {
        let number = state.withLock { state -> UInt64? in
            guard !state.isUp else { return nil }
            state.lastNumber += 1
            if state.waiters.isEmpty {
                state.awaitedSince = .now
            }
            state.waiters[state.lastNumber] = Waiter(resume: resume, since: .now)
            return state.lastNumber
        }
        guard let number else {
            resume()
            return 0
        }
        meter.began()
        metrics.waiting.increment()
        return number
    }

    func leave(_ number: UInt64, _ departure: GateDeparture) {
        guard state.withLock({ $0.waiters.removeValue(forKey: number) }) != nil else { return }
        meter.ended()
        metrics.waiting.decrement()
        if departure == .timedOut {
            metrics.notAwake.increment()
            calls.count(status: HTTPStatus.serviceUnavailable.code)
        }
    }

    var serverTiming: String? { state.withLock { $0.timing.isEmpty ? nil : $0.timing } }

    /// How many calls wait.
    var waiting: Int { state.withLock { $0.waiters.count } }

    // MARK: What is told

    /// The cluster wants so many replicas.
    func told(replicas: Int, version: String) {
        let asks = state.withLock { state in
            state.version = version
            return state.machine.told(replicas: replicas, isAwaited: !state.waiters.isEmpty, now: .now)
        }
        if asks {
            ask()
        }
    }

    /// The routes say whether some address takes calls.
    ///
    /// All who wait go on when one does.
    func set(isUp: Bool) {
        let waiters = state.withLock { state -> [Waiter] in
            guard state.isUp != isUp else { return [] }
            state.isUp = isUp
            guard isUp else { return [] }
            defer { state.waiters = [:] }
            if !state.waiters.isEmpty {
                note(&state, now: .now)
            }
            return state.waiters.values.sorted { $0.since < $1.since }
        }
        for waiter in waiters {
            meter.ended()
            metrics.waiting.decrement()
            waiter.resume()
        }
    }

    /// Notes what the waiting was for.
    private func note(_ state: inout State, now: ContinuousClock.Instant) {
        var phases: [String] = []
        var readyFrom = state.awaitedSince ?? now
        if let asked = state.askedAt {
            // The watch may be faster than the answer.
            let answered = max(asked, state.answeredAt ?? now)
            phases.append("scale;dur=\(Self.milliseconds(asked.duration(to: answered)))")
            metrics.coldScale.observe(asked.duration(to: answered))
            readyFrom = answered
        }
        phases.append("ready;dur=\(Self.milliseconds(readyFrom.duration(to: now)))")
        metrics.coldReady.observe(readyFrom.duration(to: now))
        state.timing = phases.joined(separator: ", ")
        state.askedAt = nil
        state.answeredAt = nil
    }

    /// With one decimal place.
    private static func milliseconds(_ duration: Duration) -> String {
        let tenths = max(0, Int(duration / .microseconds(100)))
        return "\(tenths / 10).\(tenths % 10)"
    }

    // MARK: Asking

    private func ask() {
        Task { await self.askUntilAnswered() }
    }

    /// Asks, and again after a while as long as somebody waits.
    private func askUntilAnswered() async {
        while true {
            let version = state.withLock { state in
                state.askedAt = .now
                state.answeredAt = nil
                return state.version
            }
            do {
                try await waker.wake(key, version: version)
                metrics.woken.increment()
                state.withLock { state in
                    state.answeredAt = .now
                    state.machine.answered(now: .now)
                }
                return
            } catch {
                metrics.wakingFailed.increment()
                let pause = state.withLock { $0.machine.failed(isAwaited: !$0.waiters.isEmpty) }
                Self.logger.warning(
                    "A function could not be woken", ["function": "\(key)", "error": "\(error)", "again": pause != nil])
                guard let pause else { return }
                // Nobody tells when the API server takes requests again.
                try? await Task.sleep(for: pause)
                guard state.withLock({ $0.machine.again(isAwaited: !$0.waiters.isEmpty) }) else { return }
            }
        }
    }

    private static let logger = Logger(label: "gateway.wake")
}
