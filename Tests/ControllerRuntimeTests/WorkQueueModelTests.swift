import Testing

@testable import ControllerRuntime

/// The rules of the queue in their plainest form, slow and easy to check.
private struct NaiveQueue {
    struct Wanted {
        var key: Int
        var priority: Int
        var order: Int
    }

    struct Waiting {
        var key: Int
        var deadline: Int
        var priority: Int
        var order: Int
    }

    var ready: [Wanted] = []
    var dirty: [Int: Int] = [:]
    var inWork: Set<Int> = []
    var waiting: [Waiting] = []
    var order = 0

    mutating func add(_ key: Int, priority: Int, now: Int) {
        promote(now: now)
        makeReady(key, priority: priority)
    }

    mutating func add(_ key: Int, after delay: Int, priority: Int, now: Int) {
        guard delay > 0 else {
            return add(key, priority: priority, now: now)
        }
        promote(now: now)
        guard dirty[key] == nil, !ready.contains(where: { $0.key == key }) else {
            return
        }
        order += 1
        if let index = waiting.firstIndex(where: { $0.key == key }) {
            waiting[index].priority = max(waiting[index].priority, priority)
            if now + delay < waiting[index].deadline {
                waiting[index].deadline = now + delay
                waiting[index].order = order
            }
        } else {
            waiting.append(Waiting(key: key, deadline: now + delay, priority: priority, order: order))
        }
    }

    mutating func next(now: Int) -> Int? {
        promote(now: now)
        guard let best = ready.max(by: { ($0.priority, -$0.order) < ($1.priority, -$1.order) }) else {
            return nil
        }
        ready.removeAll { $0.key == best.key }
        inWork.insert(best.key)
        return best.key
    }

    mutating func done(_ key: Int) {
        inWork.remove(key)
        if let priority = dirty.removeValue(forKey: key) {
            order += 1
            ready.append(Wanted(key: key, priority: priority, order: order))
        }
    }

    mutating func promote(now: Int) {
        let due = waiting.filter { $0.deadline <= now }.sorted { ($0.deadline, $0.order) < ($1.deadline, $1.order) }
        for item in due {
            makeReady(item.key, priority: item.priority)
        }
    }

    mutating func makeReady(_ key: Int, priority: Int) {
        var priority = priority
        if let index = waiting.firstIndex(where: { $0.key == key }) {
            priority = max(priority, waiting.remove(at: index).priority)
        }
        if inWork.contains(key) {
            dirty[key] = max(dirty[key] ?? priority, priority)
            return
        }
        if let index = ready.firstIndex(where: { $0.key == key }) {
            guard priority > ready[index].priority else {
                return
            }
            ready.remove(at: index)
        }
        order += 1
        ready.append(Wanted(key: key, priority: priority, order: order))
    }
}

@Suite("The work queue against a naive model")
struct WorkQueueModelTests {
    @Test("Any sequence of operations gives the same as the naive queue", arguments: 0..<40)
    func sameAsModel(round: Int) throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SplitMix64(seed: seed)
        var queue = WorkQueueState<Int>()
        var model = NaiveQueue()
        var time = 0
        var items: [WorkQueueState<Int>.Item] = []
        let keys = Int.random(in: 1...12, using: &random)

        for step in 0..<3000 {
            let key = Int.random(in: 0..<keys, using: &random)
            let priority = [-100, 0, 0, 0, 3].randomElement(using: &random) ?? 0
            let now = Duration.milliseconds(time)
            let context: Comment = "seed \(seed), step \(step)"
            switch Int.random(in: 0..<10, using: &random) {
            case 0...2:
                queue.add(key, priority: priority, now: now)
                model.add(key, priority: priority, now: time)
            case 3...4:
                let delay = Int.random(in: -1...20, using: &random)
                queue.add(key, after: .milliseconds(delay), priority: priority, now: now)
                model.add(key, after: delay, priority: priority, now: time)
            case 5...6:
                let item = queue.next(now: now)
                let expected = model.next(now: time)
                try #require(item?.key == expected, context)
                if let item {
                    items.append(item)
                }
            case 7...8:
                if let index = items.indices.randomElement(using: &random) {
                    let item = items.remove(at: index)
                    queue.done(item, now: now)
                    model.done(item.key)
                }
            default:
                time += Int.random(in: 0...8, using: &random)
            }
            try #require(queue.depth == model.ready.count, context)
            try #require(queue.inWork == model.inWork.count, context)
            let deadline = queue.nextDeadline
            try #require(deadline == model.waiting.map(\.deadline).min().map { .milliseconds($0) }, context)
        }
    }
}
