import KubernetesClient
import KubernetesTypes
import Synchronization
import Telemetry
import Timing

@testable import ControllerRuntime

/// Something outside of the cluster that widgets are entered in; it outlives the operator.
final class OutsideWorld: Sendable {
    private let uids = Mutex<[ObjectKey: String]>([:])

    /// The uid of the object that each key is entered for.
    var entries: [ObjectKey: String] { uids.withLock { $0 } }

    func enter(_ widget: Widget) {
        uids.withLock { $0[widget.key] = widget.metadata.uid }
    }

    func remove(_ key: ObjectKey) {
        uids.withLock { $0[key] = nil }
    }
}

/// A whole operator in small: a finalizer around an outside effect, one ConfigMap per part, a status.
///
/// It is written as the real ones are, so that what holds for it under faults is the runtime's merit.
struct WidgetReconciler: Reconciler {
    static let finalizerName = "test.farebox.dev/outside"

    let widgets: Informer<Widget>
    let parts: Informer<ConfigMap>
    let children: ChildWriter
    let status: StatusWriter
    let finalizer: Finalizer
    let world: OutsideWorld

    func reconcile(_ key: ObjectKey) async throws -> ReconcileOutcome {
        guard let widget = widgets.get(key) else {
            // A stale first list can show what is gone: then the effect came after the clean-up.
            world.remove(key)
            return .done
        }
        return try await finalizer.reconcile(widget) {
            world.enter(widget)
            return try await bringAbout(widget)
        } cleanUp: {
            world.remove(key)
            return .done
        }
    }

    private func bringAbout(_ widget: Widget) async throws -> ReconcileOutcome {
        for number in 0..<widget.spec.size {
            let part = Self.part(number, of: widget)
            let outcome = try await children.apply(part, observed: parts.get(part.key), owner: widget)
            guard outcome != .terminating else {
                return .requeue(after: .milliseconds(5))
            }
        }
        let wanted = Set((0..<widget.spec.size).map { Self.part($0, of: widget).key })
        for part in parts.objects(index: "owner", value: widget.metadata.uid) where !wanted.contains(part.key) {
            try await children.delete(part)
        }
        var conditions = Conditions(
            observed: widget.status?.conditions ?? [], generation: widget.metadata.generation, now: .now)
        conditions.setReady(reason: "Complete", message: "\(widget.spec.size) parts")
        let desired = Widget.Status(
            parts: widget.spec.size, observedGeneration: widget.metadata.generation, conditions: conditions.list)
        try await status.write(desired, to: widget)
        return .done
    }

    static func part(_ number: Int, of widget: Widget) -> ConfigMap {
        ConfigMap(
            metadata: ObjectMeta(
                name: "\(widget.metadata.name)-\(number)", namespace: widget.metadata.namespace,
                labels: ["test.farebox.dev/widget": widget.metadata.name]),
            data: ["note": widget.spec.note, "number": "\(number)"])
    }
}

/// One life of the operator's process, with empty caches at its start.
struct WidgetOperator {
    let manager: Manager
    let controller: Controller

    init(
        api: any KubernetesAPI, world: OutsideWorld, scope: InformerScope = InformerScope(),
        metrics: MetricsRegistry = MetricsRegistry(), election: LeaderElectionConfiguration? = nil,
        backoff: Backoff = Backoff(base: .milliseconds(1), ceiling: .milliseconds(50)),
        limits: ReflectorLimits = .impatient
    ) {
        var configuration = ManagerConfiguration()
        configuration.handlesSignals = false
        configuration.healthAddress = nil
        // Two lives must not overlap, however slow the machine.
        configuration.gracePeriod = .seconds(300)
        configuration.leaderElection = election
        manager = Manager(api: api, configuration: configuration, metrics: metrics, limits: limits) { _ in }
        let widgets = manager.informers.informer(Widget.self, scope: scope)
        let parts = manager.informers.informer(ConfigMap.self, scope: scope)
        parts.addIndex("owner") { $0.metadata.controllerReference.map { [$0.uid] } ?? [] }
        let reconciler = WidgetReconciler(
            widgets: widgets, parts: parts, children: ChildWriter(api: api, fieldManager: "farebox-widget"),
            status: StatusWriter(api: api), finalizer: Finalizer(name: WidgetReconciler.finalizerName, api: api),
            world: world)
        var working = ControllerConfiguration()
        working.backoff = backoff
        controller = Controller(
            name: "widget", root: widgets, reconciler: reconciler, configuration: working, metrics: metrics)
        controller.owns(parts)
        manager.add(controller)
    }

    /// Runs until it is cancelled.
    func run() async {
        try? await manager.run()
    }
}

extension ReflectorLimits {
    /// Limits that lose no time.
    static var impatient: ReflectorLimits {
        var limits = ReflectorLimits()
        limits.backoffBase = .milliseconds(1)
        limits.backoffCeiling = .milliseconds(5)
        return limits
    }
}
