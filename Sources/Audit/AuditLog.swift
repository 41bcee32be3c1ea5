import Synchronization
public import Telemetry

/// Tells of audit events wherever the administrator wants to hear of them.
///
/// ``record(_:)`` never waits: each sink has a bounded queue and a task of its own, so a receiver that hangs holds up
/// neither the caller nor another sink. What does not fit is dropped and counted. Events are told in order, at least
/// once where the sink repeats; a process that is killed loses what waits in its queues.
public final class AuditLog: Sendable {
    private struct Lane: Sendable {
        let sink: any AuditSink
        let events: AsyncStream<AuditEvent>
        let continuation: AsyncStream<AuditEvent>.Continuation
    }

    /// The process that tells.
    public let source: String
    private let lanes: [Lane]
    private let counts: CounterFamily
    private let logger = Logger(label: "audit")

    /// So many events wait for one sink at most: a burst of a thousand repositories fits, and takes a few MB.
    public static let queueMaximum = 4096
    /// What waits is still told for this long when the process ends.
    public static let drainLimit = Duration.seconds(5)

    /// Makes a log; events are told while ``run()`` runs.
    ///
    /// - Parameters:
    ///   - source: The process, such as `operator`.
    ///   - sinks: Where events go.
    ///   - registry: Gets the metrics.
    public convenience init(source: String, sinks: [any AuditSink], registry: MetricsRegistry) {
        self.init(source: source, sinks: sinks, registry: registry, queueMaximum: Self.queueMaximum)
    }

    init(source: String, sinks: [any AuditSink], registry: MetricsRegistry, queueMaximum: Int) {
        self.source = source
        lanes = sinks.map { sink in
            let (events, continuation) = AsyncStream.makeStream(
                of: AuditEvent.self, bufferingPolicy: .bufferingOldest(queueMaximum))
            return Lane(sink: sink, events: events, continuation: continuation)
        }
        counts = registry.counter(
            "farebox_audit_events_total", "Audit events, by where they go and what became of them.",
            labels: ["sink", "result"])
    }

    /// Takes an event; returns at once.
    public func record(_ event: AuditEvent) {
        for lane in lanes {
            if case .enqueued = lane.continuation.yield(event) { continue }
            counts.labels(lane.sink.name, "dropped").increment()
        }
    }

    /// Tells events until the calling task is cancelled; then it tells what waits, for ``drainLimit`` at most.
    public func run() async {
        let tasks = lanes.map { lane in Task.detached { await self.work(lane) } }
        await withTaskCancellationHandler {
            for task in tasks { await task.value }
        } onCancel: {
            for lane in lanes { lane.continuation.finish() }
            Task.detached {
                // The process leaves: what is queued has this long to go out, and a receiver that hangs keeps nobody.
                try? await Task.sleep(for: Self.drainLimit)
                for task in tasks { task.cancel() }
            }
        }
    }

    private func work(_ lane: Lane) async {
        for await event in lane.events {
            let problem = await lane.sink.tell(event, source: source)
            counts.labels(lane.sink.name, problem == nil ? "told" : "failed").increment()
            if let problem {
                logger.warning(
                    "An audit event could not be told", ["sink": lane.sink.name, "event": event.id, "problem": problem])
            }
        }
    }
}
