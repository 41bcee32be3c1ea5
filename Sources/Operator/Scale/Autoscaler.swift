import CRDs
public import ControllerRuntime
import HTTP
import JSON
public import KubernetesClient
import KubernetesTypes
import Scaling
import Synchronization
import Telemetry
import Timing

/// Sets the number of replicas of functions that scale by their calls, in the one process that leads.
///
/// Every round it asks all gateways how busy functions are. Where no function scales by itself, or all that do are asleep, it
/// asks nobody; and of the API server it asks nothing but the numbers that change.
public final class Autoscaler: Sendable {
    private let configuration: AutoscalerConfiguration
    private let api: any KubernetesAPI
    private let informers: SharedInformers
    private let functions: Informer<Function>
    private let recorder: EventRecorder?
    private let loads = GatewayLoads()
    private let rounds: CounterFamily
    private let decisions: CounterFamily
    private let logger = Logger(label: "autoscaler")
    /// Functions that scale by themselves and have replicas.
    private let subjects = Mutex<Set<ObjectKey>>([])
    /// Something came into an empty set.
    private let arrivals: AsyncStream<Void>
    private let arrival: AsyncStream<Void>.Continuation

    /// Adds it to a manager.
    ///
    /// - Parameters:
    ///   - manager: Runs it while it leads.
    ///   - api: For the numbers it sets.
    ///   - configuration: Where functions and gateways are.
    ///   - recorder: Tells of what it sets; nil tells nothing.
    public static func install(
        in manager: Manager, api: any KubernetesAPI, configuration: AutoscalerConfiguration,
        recorder: EventRecorder? = nil
    ) {
        let scaler = Autoscaler(
            informers: manager.informers, api: api, configuration: configuration, recorder: recorder,
            metrics: manager.metrics)
        manager.addRunnable("autoscaler", needsLeadership: true) { await scaler.run() }
    }

    private init(
        informers: SharedInformers, api: any KubernetesAPI, configuration: AutoscalerConfiguration,
        recorder: EventRecorder?, metrics: MetricsRegistry
    ) {
        self.configuration = configuration
        self.api = api
        self.informers = informers
        self.recorder = recorder
        functions = informers.informer(Function.self, scope: InformerScope(namespace: configuration.namespace))
        rounds = metrics.counter(
            "farebox_autoscaler_rounds_total",
            "Rounds in which gateways were asked for loads: complete when all of them answered.", labels: ["outcome"])
        decisions = metrics.counter(
            "farebox_autoscaler_decisions_total", "Numbers of replicas that were set, by why.", labels: ["cause"])
        (arrivals, arrival) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        functions.addHandler { [self] event in
            if case .deleted(let function, _) = event {
                set(function.key, isSubject: false)
            } else {
                set(event.object.key, isSubject: event.object.isAutoscaled)
            }
        }
    }

    private func set(_ key: ObjectKey, isSubject: Bool) {
        let isFirst = subjects.withLock { subjects in
            guard isSubject else {
                subjects.remove(key)
                return false
            }
            defer { subjects.insert(key) }
            return subjects.isEmpty
        }
        if isFirst {
            arrival.yield()
        }
    }

    /// Works until the task is cancelled.
    private func run() async {
        var waiting = arrivals.makeAsyncIterator()
        var gateways: Informer<EndpointSlice>?
        var board = AutoscaleBoard()
        var book = LoadBook()
        while !Task.isCancelled {
            guard subjects.withLock({ !$0.isEmpty }) else {
                board = AutoscaleBoard()
                book = LoadBook()
                _ = await waiting.next()
                continue
            }
            if gateways == nil {
                gateways = await findGateways()
            }
            if let gateways, gateways.hasSynced {
                await round(gateways, &book, &board)
            }
            // Loads change without anybody telling.
            try? await ContinuousClock().sleep(for: configuration.interval)
        }
    }

    /// Follows where the gateways are; nil when the API server cannot be asked now.
    private func findGateways() async -> Informer<EndpointSlice>? {
        let offered: ResourceDescriptor?
        do {
            offered = try await api.firstOffered([EndpointSlice.descriptor, EndpointSliceV1Beta1.descriptor])
        } catch {
            logger.warning("Gateways cannot be looked for, trying again", ["error": "\(error)"])
            return nil
        }
        return informers.informer(
            EndpointSlice.self,
            scope: InformerScope(
                namespace: configuration.gatewayNamespace,
                labelSelector: "\(EndpointSlice.serviceNameLabel)=\(configuration.gatewayService)"),
            at: offered ?? EndpointSlice.descriptor)
    }

    private func round(
        _ gateways: Informer<EndpointSlice>, _ book: inout LoadBook, _ board: inout AutoscaleBoard
    ) async {
        let addresses = Set(
            gateways.list().filter { $0.addressType != "FQDN" }.flatMap(\.endpoints).compactMap { endpoint in
                // Those that are not ready as well: they may still have calls under way.
                endpoint.addresses.first.flatMap { SocketAddress(host: $0, port: configuration.gatewayPort) }
            }.map(\.description))
        let reports = await loads.reports(of: addresses.sorted())
        let isComplete = !addresses.isEmpty && reports.count == addresses.count
        rounds.labels(isComplete ? "complete" : "incomplete").increment()
        let totals = book.take(reports, isComplete: isComplete)
        let present = subjects.withLock { Array($0) }.compactMap { functions.get($0) }.filter(\.isAutoscaled)
        for change in board.decide(totals, present, now: .now, time: .now) {
            if let function = await set(change) {
                board.wrote(function)
            }
        }
    }

    /// Sets a number, provided it is still the one that was decided about; returns the function with it, nil if it was not set.
    private func set(_ change: AutoscaleBoard.Change) async -> Function? {
        let function = change.function
        let (count, cause) = (change.decision.replicas, change.decision.cause)
        var operations: [Patch.Operation] = [.add(path: "/spec/replicas", value: .integer(Int64(count)))]
        if let before = function.spec.replicas {
            operations.insert(.test(path: "/spec/replicas", value: .integer(Int64(before))), at: 0)
        }
        let written: Function
        do {
            written = try await api.patch(Function.self, function.key, .json(operations))
        } catch let error as KubernetesError where error.isInvalid || error.isConflict || error.isNotFound {
            // Somebody was faster; the next round looks again.
            logger.debug("A number was not set", ["function": "\(function.key)", "error": "\(error)"])
            return nil
        } catch {
            logger.warning("A number could not be set", ["function": "\(function.key)", "error": "\(error)"])
            return nil
        }
        decisions.labels(cause.rawValue).increment()
        logger.info(
            "replicas set",
            [
                "function": "\(function.key)", "from": Int(function.desiredReplicas), "to": count,
                "cause": cause.rawValue,
            ])
        recorder?.record(
            on: function, reason: cause.rawValue, action: "Scale",
            note: "from \(function.desiredReplicas) to \(count) replicas")
        return written
    }
}

extension Function {
    /// Whether the autoscaler has to look at it: a function without replicas is woken by gateways.
    fileprivate var isAutoscaled: Bool { scalesByItself && desiredReplicas > 0 && !metadata.isBeingDeleted }
}
