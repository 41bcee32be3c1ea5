/// Deadlines of numbered things, in slots of one tick each: setting and removing cost the same however many there are.
///
/// A deadline fires in the first `advance` at or after it. Numbers are small and dense (file descriptors). Time is in ticks of
/// the caller's choice, from any origin.
struct TimerWheel {
    /// Slots of the wheel: 512 ticks of 64 ms are 32 s, so that few entries go round many times.
    static let slotCount = 512

    private struct Entry {
        var next: Int32 = -1
        var previous: Int32 = -1
        /// The slot that holds the entry, −1 while it is not set.
        var slot: Int32 = -1
        var deadline: UInt64 = 0
    }

    private var entries: [Entry] = []
    private var heads: [Int32]
    private var now: UInt64
    /// No slot comes up before this tick: where the search for the next one begins.
    private var earliest: UInt64
    /// How many deadlines are set.
    private(set) var count = 0

    /// Makes an empty wheel at the time `now`.
    init(now: UInt64) {
        self.now = now
        earliest = now
        heads = Array(repeating: -1, count: Self.slotCount)
    }

    /// Sets or moves the deadline of `id`; a deadline in the past fires at the next tick.
    mutating func set(_ id: Int, deadline: UInt64) {
        precondition(id >= 0, "Timer ids are not negative")
        while entries.count <= id {
            entries.append(Entry())
        }
        remove(id)
        entries[id].deadline = deadline
        link(id)
        count += 1
    }

    /// Forgets the deadline of `id`, if it has one.
    mutating func remove(_ id: Int) {
        guard id < entries.count, entries[id].slot >= 0 else { return }
        unlink(id)
        count -= 1
    }

    /// Moves the time forward and returns the ids whose deadline has come; they are no longer set then.
    mutating func advance(to time: UInt64) -> [Int] {
        guard time > now else { return [] }
        guard count > 0 else {
            now = time
            return []
        }
        var fired: [Int] = []
        // Past a whole turn every slot has been seen.
        let first = time - now > UInt64(Self.slotCount) ? time - UInt64(Self.slotCount) + 1 : now + 1
        now = time
        for tick in first...time {
            var id = heads[Int(tick % UInt64(Self.slotCount))]
            while id >= 0 {
                let next = entries[Int(id)].next
                if entries[Int(id)].deadline <= time {
                    unlink(Int(id))
                    count -= 1
                    fired.append(Int(id))
                } else {
                    unlink(Int(id))
                    link(Int(id))
                }
                id = next
            }
        }
        return fired
    }

    /// The tick by which `advance` has to be called, `nil` when nothing is set.
    ///
    /// - Complexity: What was found once is not searched for again.
    mutating func nextTick() -> UInt64? {
        guard count > 0 else { return nil }
        let last = now + UInt64(Self.slotCount)
        for tick in max(earliest, now + 1)...last where heads[Int(tick % UInt64(Self.slotCount))] >= 0 {
            earliest = tick
            return tick
        }
        return now + 1
    }

    /// Puts `id` into the slot of its deadline, at most one turn ahead.
    private mutating func link(_ id: Int) {
        let ahead = entries[id].deadline > now ? entries[id].deadline - now : 1
        let due = now + min(ahead, UInt64(Self.slotCount) - 1)
        let slot = Int32(due % UInt64(Self.slotCount))
        earliest = count == 0 ? due : min(earliest, due)
        let head = heads[Int(slot)]
        entries[id].slot = slot
        entries[id].previous = -1
        entries[id].next = head
        if head >= 0 {
            entries[Int(head)].previous = Int32(id)
        }
        heads[Int(slot)] = Int32(id)
    }

    private mutating func unlink(_ id: Int) {
        let entry = entries[id]
        if entry.previous >= 0 {
            entries[Int(entry.previous)].next = entry.next
        } else {
            heads[Int(entry.slot)] = entry.next
        }
        if entry.next >= 0 {
            entries[Int(entry.next)].previous = entry.previous
        }
        entries[id].slot = -1
        entries[id].next = -1
        entries[id].previous = -1
    }
}
