import JSON
public import KubernetesClient
public import KubernetesTypes
import Synchronization
import Telemetry
import Timing

/// Reports what a controller did, as events that `kubectl describe` shows beside the object.
///
/// ``record(on:type:reason:action:note:related:)`` never waits and never fails: events are an aid for people and may be
/// lost, under load or when the API server is away. Repetitions are counted in one event. Reports are sent while
/// ``run()`` runs.
public final class EventRecorder: Sendable {
    /// Whether an event tells of the usual course or of trouble.
    public enum EventType: String, Sendable {
        /// The usual course.
        case normal = "Normal"
        /// Something a person may have to look at.
        case warning = "Warning"
    }

    /// Unsent events beyond this number are dropped.
    static let pendingMaximum = 1000

    /// Tries of one event, as in client-go.
    static let triesMaximum = 12

    /// Limits of the API in bytes (Kubernetes API, `events.k8s.io/v1` Event).
    static let noteBytesMaximum = 1024
    static let wordBytesMaximum = 128

    /// Room for a dot and 16 hexadecimal digits in a name of at most 253 bytes.
    private static let nameBytesMaximum = 253 - 17

    private struct Guarded {
        var correlator = EventCorrelator()
        var pending = FIFO<EventCorrelator.Action>()
        var dropped = 0
    }

    private let api: any KubernetesAPI
    private let controller: String
    private let instance: String
    private let retryPeriod: Duration
    private let logger: Logger
    private let guarded = Mutex(Guarded())
    private let wakeUps: AsyncStream<Void>
    private let wakeUp: AsyncStream<Void>.Continuation

    /// Makes a recorder.
    ///
    /// - Parameters:
    ///   - controller: Who reports: a domain and a name, such as `farebox.dev/function`.
    ///   - instance: Which instance of it; the leader election's identity will do.
    public convenience init(api: any KubernetesAPI, controller: String, instance: String) {
        self.init(api: api, controller: controller, instance: instance, retryPeriod: .seconds(10))
    }

    init(api: any KubernetesAPI, controller: String, instance: String, retryPeriod: Duration) {
        self.api = api
        self.controller = controller
        self.instance = instance.prefix(bytes: Self.wordBytesMaximum)
        self.retryPeriod = retryPeriod
        self.logger = Logger(label: "events").with(["controller": controller])
        (wakeUps, wakeUp) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Reports something about an object.
    ///
    /// - Parameters:
    ///   - type: Whether it is trouble.
    ///   - reason: Why, one CamelCase word; at most 128 bytes.
    ///   - action: What the controller did or tried, one CamelCase word; at most 128 bytes.
    ///   - note: What happened, for people; cut at 1024 bytes. Never a secret.
    ///   - related: A further object that matters.
    public func record<Resource: KubernetesResource>(
        on object: Resource, type: EventType = .normal, reason: String, action: String, note: String,
        related: ObjectReference? = nil
    ) {
        record(
            on: ObjectReference(to: object), type: type, reason: reason, action: action, note: note, related: related)
    }

    /// Reports something about an object that is named by a reference.
    public func record(
        on regarding: ObjectReference, type: EventType = .normal, reason: String, action: String, note: String,
        related: ObjectReference? = nil
    ) {
        let namespace = regarding.namespace.isEmpty ? "default" : regarding.namespace
        let suffix = String(UInt64.random(in: .min ... .max), radix: 16)
        let stem = String(decoding: regarding.name.utf8.prefix(Self.nameBytesMaximum), as: UTF8.self)
        let now = MicroTime.now
        let event = Event(
            metadata: ObjectMeta(name: "\(stem).\(suffix)", namespace: namespace), eventTime: now,
            reportingController: controller, reportingInstance: instance,
            action: action.prefix(bytes: Self.wordBytesMaximum), reason: reason.prefix(bytes: Self.wordBytesMaximum),
            regarding: regarding, related: related, note: note.prefix(bytes: Self.noteBytesMaximum),
            type: type.rawValue)
        let dropped = guarded.withLock { guarded -> Int? in
            guard guarded.pending.count < Self.pendingMaximum else {
                guarded.dropped += 1
                return guarded.dropped
            }
            guarded.dropped = 0
            if let action = guarded.correlator.record(event, now: .now, wall: now) {
                guarded.pending.append(action)
            }
            return nil
        }
        if let dropped, dropped == 1 || dropped % 1000 == 0 {
            logger.warning("events are dropped", ["dropped": dropped])
        }
        wakeUp.yield()
    }

    /// Sends events until the calling task is cancelled; to be called once.
    public func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in self.wakeUps {
                    while !Task.isCancelled, let action = self.guarded.withLock({ $0.pending.popFirst() }) {
                        await self.deliver(action)
                    }
                }
            }
            group.addTask {
                while (try? await ContinuousClock().sleep(for: .seconds(60))) != nil {
                    self.tick()
                }
            }
        }
    }

    /// Queues the counts of series that are due.
    private func tick() {
        guarded.withLock { guarded in
            for action in guarded.correlator.tick(now: .now) where guarded.pending.count < Self.pendingMaximum {
                guarded.pending.append(action)
            }
        }
        wakeUp.yield()
    }

    /// Sends one event, again and again while the API server is away.
    private func deliver(_ action: EventCorrelator.Action) async {
        for tries in 1...Self.triesMaximum {
            do {
                return try await send(action)
            } catch {
                guard !Task.isCancelled, Self.isWorthRetrying(error), tries < Self.triesMaximum else {
                    logger.debug("event not sent", ["error": "\(error)", "tries": tries])
                    return
                }
                try? await ContinuousClock().sleep(for: Jitter(0.25).lengthened(retryPeriod))
            }
        }
    }

    private func send(_ action: EventCorrelator.Action) async throws {
        switch action {
        case .create(let event):
            try await create(event)
        case .patch(let event):
            guard let series = event.series else {
                return
            }
            let change: JSONValue = [
                "series": [
                    "count": .integer(Int64(series.count)), "lastObservedTime": .string("\(series.lastObservedTime)"),
                ]
            ]
            do {
                _ = try await api.patch(Event.self, event.key, .merge(change))
            } catch let error as KubernetesError where error.isNotFound {
                // The server forgets events after an hour.
                try await create(event)
            }
        }
    }

    private func create(_ event: Event) async throws {
        do {
            _ = try await api.create(event)
        } catch let error as KubernetesError where error.isAlreadyExists {
            // An earlier try did arrive.
        }
    }

    /// Whether the server was away or busy; what it refuses once it refuses always.
    private static func isWorthRetrying(_ error: any Error) -> Bool {
        guard let error = error as? KubernetesError else {
            return false
        }
        switch error {
        case .transport: return true
        case .api(let status): return error.isTooManyRequests || status.code >= 500
        case .decoding, .invalidRequest, .configuration: return false
        }
    }
}
