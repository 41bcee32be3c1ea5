import Synchronization
import Telemetry
import Timing

/// Takes calls from a store and has them made: a few of each function at once, again after a failure, and put away when
/// nothing helps.
///
/// A call is taken out of the store only after its attempt has ended, and its worker takes the next one after that is
/// certain: so when the process is killed, at most as many calls of a lane are made twice as the lane has workers.
public final class CallDispatcher: Sendable {
    /// How a dispatcher works.
    public struct Settings: Sendable, Hashable {
        /// Calls of one function under way at once.
        public var concurrency = 2
        /// Answers of one function being posted at once.
        public var callbackConcurrency = 4
        /// Calls under way at once in all.
        public var underWayMaximum = 64
        /// Whether and when a call is tried again.
        public var retry = RetryPolicy()
        /// The same for callbacks.
        public var callbackRetry = RetryPolicy(attemptsMaximum: 8, minimum: .seconds(2), maximum: .seconds(120))
        /// How long a worker looks for a call before it leaves the lane.
        public var patience = Duration.seconds(30)
        /// How often lanes are looked for that others filled.
        public var lookInterval = Duration.seconds(10)

        /// Takes the defaults given above.
        public init() {}
    }

    /// What a worker found that looked for a call.
    private enum Found: Sendable {
        case call(CallLease)
        case nothing
        case failure(CallStoreError)
    }

    private struct State {
        var roster = LaneRoster()
        /// What looks for calls now; a drain ends it.
        var looks: [UInt64: Task<Found, Never>] = [:]
        var nextLook: UInt64 = 0
        var isDraining = false
    }

    private let store: any CallStore
    private let runner: any CallRunner
    private let settings: Settings
    private let metrics: AsyncMetrics
    private let slots: CallSlots
    private let state = Mutex(State())
    private let started: AsyncStream<CallLane>
    private let starting: AsyncStream<CallLane>.Continuation
    private static let logger = Logger(label: "async")

    /// Makes a dispatcher that does nothing yet.
    ///
    /// - Parameters:
    ///   - store: Where calls wait.
    ///   - runner: Makes them.
    ///   - settings: How it works.
    ///   - metrics: Where calls are counted.
    public init(store: any CallStore, runner: any CallRunner, settings: Settings, metrics: AsyncMetrics) {
        self.store = store
        self.runner = runner
        self.settings = settings
        self.metrics = metrics
        slots = CallSlots(settings.underWayMaximum)
        // At most as many as lanes have workers to be started.
        (started, starting) = AsyncStream.makeStream(of: CallLane.self)
    }

    /// Says that a call came into a lane.
    public func wake(_ lane: CallLane) {
        let places = lane.kind == .function ? settings.concurrency : settings.callbackConcurrency
        let workers = runner.rules(of: lane).concurrency ?? places
        let missing = state.withLock { state in
            state.isDraining ? 0 : state.roster.arrived(in: lane, workers: max(1, workers))
        }
        for _ in 0..<missing { starting.yield(lane) }
    }

    /// Makes calls until `drain` is called and those under way have ended; a cancelled task gives them up.
    public func run() async {
        await withDiscardingTaskGroup { group in
            let looking = Task { await self.lookForLanes() }
            for await lane in started {
                group.addTask { await self.work(in: lane) }
            }
            looking.cancel()
        }
    }

    /// Takes no more calls; `run` returns when those under way have ended.
    public func drain() {
        let looks = state.withLock { state in
            state.isDraining = true
            defer { state.looks = [:] }
            return Array(state.looks.values)
        }
        starting.finish()
        for look in looks { look.cancel() }
    }

    private var isDraining: Bool { state.withLock { $0.isDraining } }

    /// Finds what waited before this process began, and what others promised and left.
    private func lookForLanes() async {
        while !Task.isCancelled {
            do {
                for lane in try await store.lanes() { wake(lane) }
            } catch {
                Self.logger.warning("Calls that wait cannot be looked for", ["error": error])
            }
            // Nothing tells that another gateway is gone.
            try? await Task.sleep(for: settings.lookInterval)
        }
    }

    // MARK: One worker

    private func work(in lane: CallLane) async {
        let failures = Backoff(base: .milliseconds(100), ceiling: .seconds(10), jitter: 0.5)
        var failed = 0
        while !isDraining, !Task.isCancelled {
            let arrivals = state.withLock { $0.roster.arrivals(in: lane) }
            switch await look(in: lane) {
            case .call(let lease):
                failed = 0
                await slots.take()
                await handle(lease)
                slots.give()
            case .nothing:
                failed = 0
                if state.withLock({ $0.roster.leave(lane, seen: arrivals) }) { return }
            case .failure(let error):
                failed += 1
                if failed == 1 { Self.logger.warning("Calls cannot be taken", ["error": error]) }
                // The store is away; nobody tells when it is back.
                try? await Task.sleep(for: failures.delay(afterFailures: failed))
            }
        }
    }

    /// Looks for a call, until a drain ends that: what is found nevertheless was taken.
    private func look(in lane: CallLane) async -> Found {
        let look = Task { [store, settings] () -> Found in
            do throws(CallStoreError) {
                guard let lease = try await store.next(in: lane, within: settings.patience) else { return .nothing }
                return .call(lease)
            } catch {
                return .failure(error)
            }
        }
        let id = state.withLock { state -> UInt64 in
            state.nextLook += 1
            if !state.isDraining { state.looks[state.nextLook] = look }
            return state.nextLook
        }
        if isDraining { look.cancel() }
        let found = await withTaskCancellationHandler {
            await look.value
        } onCancel: {
            look.cancel()
        }
        state.withLock { $0.looks[id] = nil }
        return found
    }

    // MARK: One call

    private func handle(_ lease: CallLease) async {
        guard !isDraining, !Task.isCancelled else { return await store.release(lease) }
        let call: AsyncCall
        do throws(CallStoreError) {
            guard let loaded = try await store.load(lease) else { return }
            call = loaded
        } catch {
            Self.logger.error("A call cannot be read", ["ticket": lease.ticket, "error": error])
            // Later, since others can perhaps be read.
            return await settle(lease) { (store) throws(CallStoreError) in
                try await store.postpone(lease, for: .seconds(60))
            }
        }
        let outcome = await attempt(call, lease)
        guard outcome.source != .cancelled else { return await store.release(lease) }
        let policy = lease.lane.kind == .function ? settings.retry : settings.callbackRetry
        switch policy.applying(runner.rules(of: lease.lane)).verdict(on: outcome, attempt: lease.attempt) {
        case .done:
            metrics.ended(lease.lane.kind, .done)
            let next = call.callback(after: outcome)
            await settle(lease) { (store) throws(CallStoreError) in try await store.finish(lease, followedBy: next) }
            if let next { wake(next.lane) }
        case .retry(let wait):
            metrics.retried(lease.lane.kind)
            await settle(lease) { (store) throws(CallStoreError) in try await store.postpone(lease, for: wait) }
        case .dead(let reason):
            metrics.ended(lease.lane.kind, .dead)
            Self.logger.warning(
                "A call is not tried again",
                ["function": lease.lane.function, "kind": lease.lane.kind.rawValue, "id": call.id, "reason": reason])
            let next = call.callback(after: outcome)
            await settle(lease) { (store) throws(CallStoreError) in
                try await store.bury(lease, call, reason: reason, followedBy: next)
            }
            runner.buried(call, after: outcome)
            if let next { wake(next.lane) }
        }
    }

    /// Makes one attempt; where others could take the call meanwhile, they are told now and then that it is worked on.
    private func attempt(_ call: AsyncCall, _ lease: CallLease) async -> CallOutcome {
        guard let interval = store.extensionInterval else { return await runner.run(call, attempt: lease.attempt) }
        return await withTaskGroup(of: CallOutcome?.self) { group in
            group.addTask { await self.runner.run(call, attempt: lease.attempt) }
            group.addTask {
                while (try? await Task.sleep(for: interval)) != nil { await self.store.extend(lease) }
                return nil
            }
            defer { group.cancelAll() }
            for await outcome in group {
                if let outcome { return outcome }
            }
            return CallOutcome(.cancelled)
        }
    }

    /// Tells the store what became of a call, again and again until it has it: before that no other call of the lane is
    /// made by this worker.
    private func settle(
        _ lease: CallLease, _ tell: (any CallStore) async throws(CallStoreError) -> Void
    ) async {
        let failures = Backoff(base: .milliseconds(50), ceiling: .seconds(5), jitter: 0.5)
        var failed = 0
        while true {
            do throws(CallStoreError) {
                return try await tell(store)
            } catch {
                failed += 1
                if failed == 1 {
                    Self.logger.error(
                        "What became of a call cannot be kept", ["function": lease.lane.function, "error": error])
                }
                guard !Task.isCancelled else { return }
                // The store is away; nobody tells when it is back.
                try? await Task.sleep(for: failures.delay(afterFailures: failed))
            }
        }
    }
}
