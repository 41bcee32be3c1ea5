/// Which builds may run, and which wait for their turn: first come, first served.
///
/// A value without a clock: it is told who comes and who goes, and says who may begin.
struct BuildAdmission: Sendable, Hashable {
    let inflightMaximum: Int
    let queueMaximum: Int
    private(set) var inflight: Set<String> = []
    private(set) var queue: [String] = []

    init(inflightMaximum: Int, queueMaximum: Int) {
        precondition(inflightMaximum > 0 && queueMaximum >= 0, "one build at least may run")
        self.inflightMaximum = inflightMaximum
        self.queueMaximum = queueMaximum
    }

    /// What becomes of a build that comes.
    enum Answer: Sendable, Hashable {
        /// It may begin.
        case begin
        /// It waits; so many are before it.
        case wait(before: Int)
        /// There is no room, not even to wait.
        case full
    }

    /// Whether the next one would be turned away.
    var isFull: Bool { inflight.count >= inflightMaximum && queue.count >= queueMaximum }

    /// A build comes; one that is here already keeps its place.
    mutating func enter(_ id: String) -> Answer {
        if inflight.contains(id) { return .begin }
        if let place = queue.firstIndex(of: id) { return .wait(before: place) }
        if inflight.count < inflightMaximum, queue.isEmpty {
            inflight.insert(id)
            return .begin
        }
        guard queue.count < queueMaximum else { return .full }
        queue.append(id)
        return .wait(before: queue.count - 1)
    }

    /// A build that runs already, whatever the limit says: it was begun by an earlier process.
    mutating func adopt(_ id: String) {
        queue.removeAll { $0 == id }
        inflight.insert(id)
    }

    /// A build goes.
    ///
    /// - Returns: Those that may begin now.
    mutating func leave(_ id: String) -> [String] {
        inflight.remove(id)
        queue.removeAll { $0 == id }
        var next: [String] = []
        while inflight.count < inflightMaximum, !queue.isEmpty {
            let id = queue.removeFirst()
            inflight.insert(id)
            next.append(id)
        }
        return next
    }
}
