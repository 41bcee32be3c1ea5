/// The work queue as a value: what is ready, what is being worked on, what waits for a time.
///
/// The rules are those of client-go's `util/workqueue` and controller-runtime's `priorityqueue`:
///
/// - A key is handed to one worker at a time. Adding it meanwhile runs it once more after `done`.
/// - Adding a ready key again does nothing, or raises its priority; it then goes to the end of the higher class.
/// - Higher priorities come first, in order of readiness inside one priority.
/// - A delayed key keeps its earliest time; an immediate add takes the place of a delay.
///
/// All operations take constant time, but for those on waits, which take O(log waits). The caller passes the time. The
/// number of keys is not limited here: it is bounded by the objects that exist, since a key is held once.
struct WorkQueueState<Key: Hashable & Sendable>: Sendable {
    /// The time since an origin of the caller's choice.
    ///
    /// `ContinuousClock.Instant` has no layout known to the compiler, which would make every access to an entry slow.
    typealias Instant = Duration

    /// A key handed to a worker, to be given back with `done`.
    struct Item: Sendable {
        let key: Key
        let priority: Int
        /// How long it was ready before a worker took it.
        let waited: Duration
        fileprivate let slot: Int
    }

    private struct Entry: Sendable {
        var key: Key
        /// Wanted: in a band when not in work, or to be put in one at `done`.
        var isReady = false
        var isInWork = false
        /// A slot without any duty is idle; it may be reused after a sweep.
        var isFree = false
        var priority = 0
        /// Names the one valid record of this entry in the bands and the wait heap.
        var readyStamp: UInt64 = 0
        var waitStamp: UInt64 = 0
        var deadline: Instant?
        var waitPriority = 0
        var failures = 0
        var readySince: Instant
        var workSince: Instant

        var isIdle: Bool { !isReady && !isInWork && deadline == nil && failures == 0 }
    }

    private struct Record: Sendable {
        let slot: Int
        let stamp: UInt64
    }

    /// The ready keys of one priority.
    ///
    /// Records whose stamp is old are left in place and skipped.
    private struct Band: Sendable {
        let priority: Int
        var records = FIFO<Record>()
        var live = 0
    }

    /// Idle entries are kept, for the next add of the same key, until there are this many of them.
    static var idleEntriesMaximum: Int { 4096 }

    /// Empty bands are kept for reuse up to this many.
    static var bandsMaximum: Int { 25 }

    private var entries: [Entry] = []
    private var slots: [Key: Int] = [:]
    private var free: [Int] = []
    private var idle = 0
    private var bands: [Band] = []
    private var waits = WaitHeap()
    private var liveWaits = 0
    private var stamp: UInt64 = 0
    private(set) var isShutDown = false

    /// Keys that a worker could take now.
    private(set) var depth = 0

    /// Keys that workers hold now.
    private(set) var inWork = 0

    /// Adds that changed something: a key became wanted that was not.
    private(set) var added: UInt64 = 0

    /// Makes `key` ready, at once or, when a worker holds it, as soon as that worker is done.
    mutating func add(_ key: Key, priority: Int = 0, now: Instant) {
        guard !isShutDown else {
            return
        }
        promote(now: now)
        makeReady(slot(for: key, now: now), priority: priority, now: now)
    }

    /// Makes `key` ready after `delay`.
    mutating func add(_ key: Key, after delay: Duration, priority: Int = 0, now: Instant) {
        guard delay > .zero else {
            return add(key, priority: priority, now: now)
        }
        guard !isShutDown else {
            return
        }
        promote(now: now)
        let slot = slot(for: key, now: now)
        guard !entries[slot].isReady else {
            return
        }
        wait(slot, until: now + delay, priority: priority)
    }

    /// Counts one more failure of `key`.
    ///
    /// - Returns: The failures in a row, with this one.
    mutating func recordFailure(of key: Key, now: Instant) -> Int {
        let slot = slot(for: key, now: now)
        if entries[slot].isIdle {
            idle -= 1
        }
        if entries[slot].failures < Int.max {
            entries[slot].failures += 1
        }
        return entries[slot].failures
    }

    /// Forgets the failures of `key`.
    mutating func forget(_ key: Key) {
        guard let slot = slots[key] else {
            return
        }
        forget(slot: slot)
    }

    /// Forgets the failures of the key of `item`.
    mutating func forget(_ item: Item) {
        forget(slot: item.slot)
    }

    /// Takes the next key, highest priority first, after moving the waits that are over.
    mutating func next(now: Instant) -> Item? {
        promote(now: now)
        guard depth > 0 else {
            return nil
        }
        for index in bands.indices where bands[index].live > 0 {
            while let record = bands[index].records.popFirst() {
                let slot = record.slot
                guard entries[slot].isReady, entries[slot].readyStamp == record.stamp else {
                    continue
                }
                bands[index].live -= 1
                depth -= 1
                inWork += 1
                entries[slot].isReady = false
                entries[slot].isInWork = true
                entries[slot].workSince = now
                let priority = entries[slot].priority
                let waited = now - entries[slot].readySince
                return Item(key: entries[slot].key, priority: priority, waited: waited, slot: slot)
            }
        }
        return nil
    }

    /// Gives a key back.
    ///
    /// - Returns: How long the worker held it, and whether it is ready again.
    @discardableResult
    mutating func done(_ item: Item, now: Instant) -> (worked: Duration, isReady: Bool) {
        let slot = item.slot
        guard entries.indices.contains(slot), entries[slot].isInWork else {
            return (.zero, false)
        }
        entries[slot].isInWork = false
        inWork -= 1
        let worked = now - entries[slot].workSince
        if entries[slot].isReady {
            entries[slot].readySince = now
            enqueue(slot)
            return (worked, true)
        }
        if entries[slot].isIdle {
            idle += 1
            sweepIfNeeded()
        }
        return (worked, false)
    }

    /// The time of the earliest wait; nil when nothing waits.
    var nextDeadline: Instant? {
        mutating get {
            while let first = waits.first {
                let entry = entries[first.slot]
                if entry.deadline != nil, entry.waitStamp == first.stamp {
                    return first.deadline
                }
                waits.removeFirst()
            }
            return nil
        }
    }

    /// Refuses further adds; ready and waiting keys are dropped.
    mutating func shutDown() {
        isShutDown = true
        depth = 0
        liveWaits = 0
        bands.removeAll()
        waits.removeAll()
        for index in entries.indices {
            entries[index].isReady = false
            entries[index].deadline = nil
        }
    }

    /// Ready keys by priority, highest first; priorities with none may be present.
    var depths: [(priority: Int, count: Int)] {
        bands.map { ($0.priority, $0.live) }
    }

    /// Since when each key in work is held.
    var workStarts: [Instant] {
        inWork == 0 ? [] : entries.filter(\.isInWork).map(\.workSince)
    }

    /// Keys remembered, for whatever reason.
    var entriesHeld: Int { slots.count }

    // MARK: - Slots

    private mutating func slot(for key: Key, now: Instant) -> Int {
        if let slot = slots[key] {
            return slot
        }
        idle += 1
        let entry = Entry(key: key, readySince: now, workSince: now)
        if let slot = free.popLast() {
            entries[slot] = entry
            slots[key] = slot
            return slot
        }
        entries.append(entry)
        slots[key] = entries.count - 1
        return entries.count - 1
    }

    private mutating func forget(slot: Int) {
        guard entries[slot].failures > 0 else {
            return
        }
        entries[slot].failures = 0
        if entries[slot].isIdle {
            idle += 1
            sweepIfNeeded()
        }
    }

    /// Drops all idle entries once they are many and most: each sweep is paid for by the adds before it.
    private mutating func sweepIfNeeded() {
        guard idle > Self.idleEntriesMaximum, idle > slots.count / 2 else {
            return
        }
        for index in entries.indices where !entries[index].isFree && entries[index].isIdle {
            slots.removeValue(forKey: entries[index].key)
            entries[index].isFree = true
            free.append(index)
        }
        idle = 0
        // Records of the dropped entries are stale by stamp: stamps are never reused.
        waits.keep { [entries] in entries[$0.slot].deadline != nil && entries[$0.slot].waitStamp == $0.stamp }
    }

    // MARK: - Ready keys

    private mutating func makeReady(_ slot: Int, priority: Int, now: Instant) {
        if entries[slot].isIdle {
            idle -= 1
        }
        var priority = priority
        if entries[slot].deadline != nil {
            priority = max(priority, entries[slot].waitPriority)
            entries[slot].deadline = nil
            liveWaits -= 1
        }
        guard entries[slot].isReady else {
            added &+= 1
            entries[slot].isReady = true
            entries[slot].priority = priority
            entries[slot].readySince = now
            guard !entries[slot].isInWork else {
                return
            }
            enqueue(slot)
            return
        }
        guard priority > entries[slot].priority else {
            return
        }
        guard !entries[slot].isInWork else {
            entries[slot].priority = priority
            return
        }
        bands[band(of: entries[slot].priority)].live -= 1
        depth -= 1
        entries[slot].priority = priority
        enqueue(slot)
    }

    private mutating func enqueue(_ slot: Int) {
        stamp &+= 1
        entries[slot].readyStamp = stamp
        let index = band(of: entries[slot].priority)
        bands[index].records.append(Record(slot: slot, stamp: stamp))
        bands[index].live += 1
        depth += 1
        // Raises leave stale records behind: drop them once they are most.
        if bands[index].records.count > 64, bands[index].records.count > 2 * bands[index].live {
            bands[index].records.keep { [entries] in
                entries[$0.slot].isReady && entries[$0.slot].readyStamp == $0.stamp
            }
        }
    }

    /// The index of the band of `priority`, made when absent; bands are few and sorted, highest first.
    private mutating func band(of priority: Int) -> Int {
        if let index = bands.firstIndex(where: { $0.priority <= priority }) {
            if bands[index].priority == priority {
                return index
            }
            return insertBand(priority, at: index)
        }
        return insertBand(priority, at: bands.count)
    }

    private mutating func insertBand(_ priority: Int, at index: Int) -> Int {
        guard bands.count >= Self.bandsMaximum else {
            bands.insert(Band(priority: priority), at: index)
            return index
        }
        bands.removeAll { $0.live == 0 }
        let position = bands.firstIndex { $0.priority < priority } ?? bands.count
        bands.insert(Band(priority: priority), at: position)
        return position
    }

    // MARK: - Waits

    private mutating func wait(_ slot: Int, until deadline: Instant, priority: Int) {
        if entries[slot].isIdle {
            idle -= 1
        }
        if let current = entries[slot].deadline {
            entries[slot].waitPriority = max(entries[slot].waitPriority, priority)
            guard deadline < current else {
                return
            }
        } else {
            entries[slot].waitPriority = priority
            liveWaits += 1
        }
        stamp &+= 1
        entries[slot].deadline = deadline
        entries[slot].waitStamp = stamp
        waits.insert(WaitHeap.Wait(deadline: deadline, stamp: stamp, slot: slot))
        if waits.count > 64, waits.count > 2 * liveWaits {
            waits.keep { [entries] in entries[$0.slot].deadline != nil && entries[$0.slot].waitStamp == $0.stamp }
        }
    }

    private mutating func promote(now: Instant) {
        guard liveWaits > 0 else {
            return
        }
        while let deadline = nextDeadline, deadline <= now, let wait = waits.first {
            waits.removeFirst()
            // Ready since its time came, not since somebody looked.
            makeReady(wait.slot, priority: entries[wait.slot].waitPriority, now: deadline)
        }
    }
}
