import KubernetesTypes

/// Folds repeated events into series, as client-go's `tools/events` does; it does no I/O and reads no clock.
///
/// Two events are the same when all but their note and time is the same. The second one turns the first into a series of
/// 2, which is written at once; further ones are counted, and the count is written when the series is refreshed or ends.
struct EventCorrelator: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// What to send.
    enum Action: Sendable, Equatable {
        case create(Event)
        /// Write the series of an event created before; create it if it is gone.
        case patch(Event)
    }

    /// A running series is written this often: events live 1 h on the server.
    static let refreshPeriod = Duration.seconds(30 * 60)

    /// An event that was not seen for this long is over; the next one begins anew.
    static let quietPeriod = Duration.seconds(6 * 60)

    /// Events remembered at once; beyond that the longest unseen one is forgotten.
    static let eventsMaximum = 4096

    private struct Key: Hashable {
        let type: String
        let action: String
        let reason: String
        let reportingController: String
        let reportingInstance: String
        let regarding: ObjectReference?
        let related: ObjectReference?
    }

    private struct Entry {
        var event: Event
        var seenAt: Instant
        var sentAt: Instant
        var hasUnsentCount = false
    }

    private var entries: [Key: Entry] = [:]

    /// Events remembered now.
    var count: Int { entries.count }

    /// Takes one event and returns what to send now, if anything.
    mutating func record(_ event: Event, now: Instant, wall: MicroTime) -> Action? {
        let key = Self.key(of: event)
        guard var entry = entries[key], entry.seenAt.duration(to: now) < Self.quietPeriod else {
            makeRoom()
            entries[key] = Entry(event: event, seenAt: now, sentAt: now)
            return .create(event)
        }
        entry.seenAt = now
        let (count, overflow) = (entry.event.series?.count ?? 1).addingReportingOverflow(1)
        let isFirstRepeat = entry.event.series == nil
        entry.event.series = Event.Series(count: overflow ? Int32.max : count, lastObservedTime: wall)
        entry.hasUnsentCount = !isFirstRepeat
        if isFirstRepeat {
            entry.sentAt = now
        }
        entries[key] = entry
        return isFirstRepeat ? .patch(entry.event) : nil
    }

    /// Writes series that run long, and ends those that are quiet; to be called about once a minute.
    mutating func tick(now: Instant) -> [Action] {
        var actions: [Action] = []
        for (key, entry) in entries {
            let isOver = entry.seenAt.duration(to: now) >= Self.quietPeriod
            let isDue = entry.event.series != nil && entry.sentAt.duration(to: now) >= Self.refreshPeriod
            if entry.hasUnsentCount, isOver || isDue {
                actions.append(.patch(entry.event))
                entries[key]?.hasUnsentCount = false
                entries[key]?.sentAt = now
            }
            if isOver {
                entries.removeValue(forKey: key)
            }
        }
        return actions
    }

    private mutating func makeRoom() {
        guard entries.count >= Self.eventsMaximum else {
            return
        }
        if let oldest = entries.min(by: { $0.value.seenAt < $1.value.seenAt }) {
            entries.removeValue(forKey: oldest.key)
        }
    }

    private static func key(of event: Event) -> Key {
        // The version changes with every write: a series must outlive that.
        var regarding = event.regarding
        regarding?.resourceVersion = ""
        var related = event.related
        related?.resourceVersion = ""
        return Key(
            type: event.type, action: event.action, reason: event.reason,
            reportingController: event.reportingController, reportingInstance: event.reportingInstance,
            regarding: regarding, related: related)
    }
}
