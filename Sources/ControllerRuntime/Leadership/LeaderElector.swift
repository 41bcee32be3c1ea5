import KubernetesClient
import KubernetesTypes
import Telemetry
import Timing

/// Carries out what `LeaderElectionMachine` decides.
///
/// It should have an API client of its own, so that no slow list on a shared connection costs the lease.
final class LeaderElector: Sendable {
    /// Opens when the lease is ours.
    let leads = Gate()

    private let api: any KubernetesAPI
    private let configuration: LeaderElectionConfiguration
    private let stopRequested = Gate()
    private let status: Gauge
    private let slowPath: Counter
    private let logger: Logger

    init(
        api: any KubernetesAPI, configuration: LeaderElectionConfiguration, metrics: MetricsRegistry, logger: Logger
    ) {
        self.api = api
        self.configuration = configuration
        self.logger = logger.with(["lease": "\(configuration.namespace)/\(configuration.name)"])
        status = metrics.gauge(
            "leader_election_master_status", "1 while this process leads.", labels: ["name"]
        ).labels(configuration.name)
        slowPath = metrics.counter(
            "leader_election_slowpath_total", "Renewals that needed a read first.", labels: ["name"]
        ).labels(configuration.name)
    }

    /// Competes for the lease and keeps it, until it is lost or ``stop()`` is called.
    ///
    /// A cancelled task ends it without giving the lease back.
    func run() async -> LeaderElectionMachine.Outcome {
        var machine = LeaderElectionMachine(configuration: configuration, seed: .random(in: .min ... .max))
        var event = LeaderElectionMachine.Event.started
        var isStopping = false
        var holder: String?
        while !Task.isCancelled {
            // The wall clock first: what the Lease tells is never later than the moment that the deadline counts from.
            let wall = MicroTime.now
            let action = machine.handle(event, now: .now, wall: wall)
            show(machine, &holder)
            switch action {
            case .finish(let outcome):
                logger.log(
                    outcome == .lost ? .error : .info, "leader election ended", ["lost": outcome == .lost])
                return outcome
            case .pause(let delay):
                await pause(delay)
                event = .resumed
            case .read:
                if machine.isLeader {
                    slowPath.increment()
                }
                event = await perform(machine) { try await $0.read() }
            case .create(let lease): event = await perform(machine) { try await $0.create(lease) }
            case .update(let lease): event = await perform(machine) { try await $0.update(lease) }
            }
            if stopRequested.isOpen, !isStopping {
                isStopping = true
                if case .resumed = event {
                    // Nothing happened but time.
                } else {
                    // What a request brought counts before we go: the lease may have become ours.
                    _ = machine.handle(event, now: .now, wall: .now)
                }
                event = .stop
            }
        }
        return .stopped
    }

    /// Asks ``run()`` to give the lease back and to return.
    func stop() {
        stopRequested.open()
    }

    private func show(_ machine: LeaderElectionMachine, _ holder: inout String?) {
        status.set(machine.isLeader ? 1 : 0)
        if machine.isLeader, !leads.isOpen {
            logger.info("leading", ["identity": configuration.identity])
            leads.open()
        }
        if !machine.holder.isEmpty, machine.holder != holder {
            holder = machine.holder
            logger.info("leader seen", ["holder": machine.holder])
        }
    }

    private func pause(_ delay: Duration) async {
        guard !stopRequested.isOpen else {
            return
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await ContinuousClock().sleep(for: delay, tolerance: .zero) }
            group.addTask { try? await self.stopRequested.wait() }
            await group.next()
            group.cancelAll()
        }
    }

    /// Sends one request, for no longer than a leader may wait for it.
    private func perform(
        _ machine: LeaderElectionMachine,
        _ request: @escaping @Sendable (LeaderElector) async throws -> LeaderElectionMachine.Event
    ) async -> LeaderElectionMachine.Event {
        var limit = configuration.requestTimeout
        if let deadline = machine.renewalDeadline {
            limit = min(limit, max(.zero, ContinuousClock.now.duration(to: deadline)))
        }
        do {
            return try await withDeadline(limit) { try await request(self) }
        } catch {
            logger.warning("lease request failed", ["error": "\(error)"])
            return .failed
        }
    }

    private func read() async throws -> LeaderElectionMachine.Event {
        do {
            let key = ObjectKey(namespace: configuration.namespace, name: configuration.name)
            return .found(try await api.get(Lease.self, key))
        } catch let error as KubernetesError where error.isNotFound {
            return .missing
        }
    }

    private func create(_ lease: Lease) async throws -> LeaderElectionMachine.Event {
        do {
            return .written(try await api.create(lease))
        } catch let error as KubernetesError where error.isAlreadyExists || error.isConflict {
            return .conflicted
        }
    }

    private func update(_ lease: Lease) async throws -> LeaderElectionMachine.Event {
        do {
            return .written(try await api.update(lease))
        } catch let error as KubernetesError where error.isConflict {
            return .conflicted
        } catch let error as KubernetesError where error.isNotFound {
            return .missing
        }
    }
}
