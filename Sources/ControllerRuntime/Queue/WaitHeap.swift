/// Waits in order of their time, and of their arrival where times are equal: a binary heap.
struct WaitHeap: Sendable {
    struct Wait: Sendable {
        let deadline: Duration
        let stamp: UInt64
        let slot: Int

        func isBefore(_ other: Wait) -> Bool {
            deadline != other.deadline ? deadline < other.deadline : stamp < other.stamp
        }
    }

    private var waits: [Wait] = []

    var count: Int { waits.count }
    var first: Wait? { waits.first }

    mutating func insert(_ wait: Wait) {
        waits.append(wait)
        siftUp(from: waits.count - 1)
    }

    mutating func removeFirst() {
        guard let last = waits.popLast(), !waits.isEmpty else {
            return
        }
        waits[0] = last
        siftDown(from: 0)
    }

    mutating func removeAll() {
        waits.removeAll()
    }

    /// Keeps only the waits that satisfy `isWanted`.
    mutating func keep(where isWanted: (Wait) -> Bool) {
        waits = waits.filter(isWanted)
        for index in stride(from: waits.count / 2 - 1, through: 0, by: -1) {
            siftDown(from: index)
        }
    }

    private mutating func siftUp(from start: Int) {
        var index = start
        while index > 0 {
            let parent = (index - 1) / 2
            guard waits[index].isBefore(waits[parent]) else {
                return
            }
            waits.swapAt(index, parent)
            index = parent
        }
    }

    private mutating func siftDown(from start: Int) {
        var index = start
        while true {
            let left = 2 * index + 1
            guard left < waits.count else {
                return
            }
            let right = left + 1
            let least = right < waits.count && waits[right].isBefore(waits[left]) ? right : left
            guard waits[least].isBefore(waits[index]) else {
                return
            }
            waits.swapAt(index, least)
            index = least
        }
    }
}
