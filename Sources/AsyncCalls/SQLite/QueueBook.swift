import Timing

/// Which calls wait, which are due and which are taken, by the numbers of their rows: a value, asked on each call.
///
/// The rows say what is durable; this is made of them when the file is opened, and changed after each commit. Taking a call
/// is not written down: the file has one writer, and when that is gone nothing is taken any more.
struct QueueBook {
    /// What is known of a call.
    private struct Item {
        let lane: CallLane
        let bytes: Int
        var attempts: Int
        var isTaken = false
    }

    /// A place in a lane.
    struct Place: Comparable {
        let due: Timestamp
        let number: Int64

        static func < (left: Place, right: Place) -> Bool {
            (left.due, left.number) < (right.due, right.number)
        }
    }

    private var items: [Int64: Item] = [:]
    private var lanes: [CallLane: (places: MinimumHeap<Place>, count: Int)] = [:]
    /// Of calls that are being written now.
    private var reservedCalls = 0
    private var reservedByLane: [CallLane: Int] = [:]
    private(set) var bytes = 0

    /// Calls that wait or are under way.
    var count: Int { items.count }

    /// The lanes in which something waits or is under way.
    var occupiedLanes: [CallLane] { Array(lanes.keys) }

    // MARK: Coming

    /// Makes room for a call that is about to be written.
    ///
    /// - Returns: Why there is none.
    mutating func reserve(_ lane: CallLane, bytes size: Int, limits: CallLimits) -> String? {
        guard items.count + reservedCalls < limits.callsMaximum else {
            return "\(limits.callsMaximum) calls wait already"
        }
        guard bytes + size <= limits.bytesMaximum else { return "the calls that wait fill the store" }
        guard (lanes[lane]?.count ?? 0) + reservedByLane[lane, default: 0] < limits.callsPerFunctionMaximum else {
            return "\(limits.callsPerFunctionMaximum) calls of the function wait already"
        }
        reservedCalls += 1
        reservedByLane[lane, default: 0] += 1
        bytes += size
        return nil
    }

    /// Gives the room back of a call that is there now, or could not be written.
    mutating func cancelReservation(_ lane: CallLane, bytes size: Int) {
        reservedCalls -= 1
        bytes -= size
        let left = reservedByLane[lane, default: 1] - 1
        reservedByLane[lane] = left > 0 ? left : nil
    }

    /// A call is in the file.
    mutating func add(_ number: Int64, _ lane: CallLane, due: Timestamp, attempts: Int, bytes size: Int) {
        guard items[number] == nil else { return }
        items[number] = Item(lane: lane, bytes: size, attempts: attempts)
        bytes += size
        lanes[lane, default: (MinimumHeap(), 0)].places.insert(Place(due: due, number: number))
        lanes[lane]?.count += 1
    }

    // MARK: Taking

    /// Takes the call that has been due for longest.
    ///
    /// - Returns: Its number and which attempt this is.
    mutating func take(_ lane: CallLane, now: Timestamp) -> (number: Int64, attempt: Int)? {
        guard let first = lanes[lane]?.places.first, first.due <= now else { return nil }
        lanes[lane]?.places.removeFirst()
        items[first.number]?.isTaken = true
        return (first.number, (items[first.number]?.attempts ?? 0) + 1)
    }

    /// When the next call of a lane is due; nil when all are taken, or there is none.
    func nextDue(_ lane: CallLane) -> Timestamp? {
        lanes[lane]?.places.first?.due
    }

    /// A call that was taken waits again.
    ///
    /// - Parameters:
    ///   - number: The call.
    ///   - due: From when on.
    ///   - attempts: How often it was tried; nil to leave that.
    mutating func giveBack(_ number: Int64, due: Timestamp, attempts: Int? = nil) {
        guard var item = items[number], item.isTaken else { return }
        item.isTaken = false
        item.attempts = attempts ?? item.attempts
        items[number] = item
        lanes[item.lane]?.places.insert(Place(due: due, number: number))
    }

    /// A call that was taken is not in the queue any more.
    mutating func remove(_ number: Int64) {
        guard let item = items[number], item.isTaken else { return }
        items[number] = nil
        bytes -= item.bytes
        lanes[item.lane]?.count -= 1
        if lanes[item.lane]?.count == 0 { lanes[item.lane] = nil }
    }
}

/// A heap with the smallest element on top.
struct MinimumHeap<Element: Comparable> {
    private var elements: [Element] = []

    /// The smallest.
    var first: Element? { elements.first }

    /// Adds an element.
    mutating func insert(_ element: Element) {
        elements.append(element)
        var child = elements.count - 1
        while child > 0, case let parent = (child - 1) / 2, elements[child] < elements[parent] {
            elements.swapAt(child, parent)
            child = parent
        }
    }

    /// Removes the smallest.
    mutating func removeFirst() {
        guard let last = elements.popLast(), !elements.isEmpty else { return }
        elements[0] = last
        var parent = 0
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < elements.count && elements[child] < elements[smallest] {
                smallest = child
            }
            guard smallest != parent else { return }
            elements.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
