import KubernetesClient
import Telemetry
import Timing

/// One run of a manager: what was started, what happened, what must still stop.
struct ManagerLifecycle {
    /// What can happen while it runs.
    enum Event: Sendable {
        case signal(Int32)
        case cancelled
        case leads
        case electionEnded(LeaderElectionMachine.Outcome)
        case failed(String, any Error)
        case stopped
        case graceOver
    }

    /// A part that was started.
    private struct Started {
        let name: String
        let task: Task<Void, Never>
    }

    let report: @Sendable (Event) -> Void

    private let events: AsyncStream<Event>
    private let runnables: [Manager.Runnable]
    private let informers: SharedInformers
    private let elector: LeaderElector?
    private let leading: Gate
    private let gracePeriod: Duration
    private let logger: Logger
    private let terminate: @Sendable (Int32) -> Void
    private var leaders: [Started] = []
    private var others: [Started] = []
    private var election: Task<Void, Never>?

    init(
        runnables: [Manager.Runnable], informers: SharedInformers, elector: LeaderElector?, leading: Gate,
        gracePeriod: Duration, logger: Logger, terminate: @escaping @Sendable (Int32) -> Void
    ) {
        // Bounded by what there is to happen: parts end once, and people send few signals.
        let (events, continuation) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingOldest(1024))
        self.events = events
        self.report = { continuation.yield($0) }
        self.runnables = runnables
        self.informers = informers
        self.elector = elector
        self.leading = leading
        self.gracePeriod = gracePeriod
        self.logger = logger
        self.terminate = terminate
    }

    /// Runs to the end; the task must not be cancelled, since stopping in order takes time: report `cancelled` instead.
    mutating func run() async throws {
        start()
        let failure = await work()
        if case .leadershipLost = failure {
            // Another process may lead by now: whatever is under way here must not go on for a moment longer.
            logger.error("the lease was lost, ending at once")
            terminate(1)
        }
        try await stop(because: failure)
    }

    // MARK: - Start

    private mutating func start() {
        informers.start()
        others = runnables.filter { !$0.needsLeadership }.map(start)
        guard let elector else {
            report(.leads)
            return
        }
        let report = report
        election = Task {
            async let outcome = elector.run()
            let announcement = Task {
                try await elector.leads.wait()
                report(.leads)
            }
            let ended = await outcome
            announcement.cancel()
            report(.electionEnded(ended))
        }
    }

    private func start(_ runnable: Manager.Runnable) -> Started {
        let report = report
        let task = Task {
            do {
                try await runnable.run()
            } catch {
                // An error on the way out is no news.
                if !Task.isCancelled {
                    report(.failed(runnable.name, error))
                }
            }
        }
        return Started(name: runnable.name, task: task)
    }

    /// Runs until there is a reason to stop; returns it unless it was a request.
    private mutating func work() async -> ManagerError? {
        for await event in events {
            switch event {
            case .leads:
                leading.open()
                leaders = runnables.filter(\.needsLeadership).map(start)
            case .signal(let number):
                logger.info("stopping", ["signal": number])
                return nil
            case .cancelled, .electionEnded(.stopped): return nil
            case .electionEnded(.lost): return .leadershipLost
            case .failed(let name, let error):
                logger.error("a part of the process failed", ["part": name, "error": "\(error)"])
                return .failed(name, error)
            case .stopped, .graceOver: break
            }
        }
        return nil
    }

    // MARK: - Stop

    private func stop(because failure: ManagerError?) async throws {
        let report = report
        let (leaders, others, election) = (leaders, others, election)
        let (elector, informers) = (elector, informers)
        let stopping = Task {
            await Self.stop(leaders)
            elector?.stop()
            await election?.value
            await Self.stop(others)
            await informers.stop()
            report(.stopped)
        }
        let gracePeriod = gracePeriod
        let grace = Task {
            try await ContinuousClock().sleep(for: gracePeriod)
            report(.graceOver)
        }
        defer {
            grace.cancel()
            stopping.cancel()
        }
        for await event in events {
            switch event {
            case .stopped:
                if let failure {
                    throw failure
                }
                return
            case .graceOver:
                let names = (leaders + others).map(\.name)
                logger.error("not stopped in time", ["parts": names.joined(separator: ", ")])
                terminate(1)
                throw ManagerError.graceExceeded(names)
            case .signal(let number):
                logger.error("second signal, ending at once", ["signal": number])
                terminate(1)
            case .leads, .cancelled, .electionEnded, .failed: break
            }
        }
    }

    private static func stop(_ parts: [Started]) async {
        parts.forEach { $0.task.cancel() }
        for part in parts {
            await part.task.value
        }
    }
}
