import KubernetesTypes
import Synchronization

/// Who may build next, when more want to than may at once.
///
/// Nothing here has to survive: who waits asks again in each reconcile, and what runs is counted from the Jobs. A place
/// goes to the owner with the fewest builds, and among those to whoever has waited longest, so that one owner with a
/// hundred pushes keeps nobody else from the next place.
final class BuildQueue: Sendable {
    /// How many builds run at once.
    struct Limits: Sendable, Hashable {
        var total = 10
        var perOwner = 5
        var perRepository = 5

        /// For whoever waits.
        var message: String {
            "as many builds run as are allowed at once (\(total) in all, \(perOwner) of one owner, \(perRepository) of one "
                + "repository); it has its turn"
        }
    }

    /// A build that wants to start.
    struct Ticket: Sendable, Hashable {
        /// The name of its Job.
        let job: String
        /// The Repository object, which is reconciled when its turn comes.
        let repository: ObjectKey
        let repositoryUID: String
        /// In lower case.
        let owner: String
        /// When it was asked for; a later one never overtakes an earlier one of the same owner.
        let since: Time
    }

    /// A build that runs.
    struct Running: Sendable, Hashable {
        let job: String
        let repositoryUID: String
        let owner: String
    }

    /// The Jobs as the informers see them now.
    struct Present: Sendable {
        var running: [Running] = []
        /// The names of those that came to their end.
        var ended: Set<String> = []
    }

    private struct Admission {
        let build: Running
        let at: ContinuousClock.Instant
    }

    private struct State {
        var waiting: [String: Ticket] = [:]
        /// Let in, and not seen by the informers yet.
        var admitted: [String: Admission] = [:]
    }

    /// The informers show a Job long before this, unless somebody deleted it at once.
    private static let unseenMaximum: Duration = .seconds(60)

    let limits: Limits
    private let state = Mutex(State())

    init(limits: Limits) {
        precondition(min(limits.total, limits.perOwner, limits.perRepository) > 0, "a queue lets in one at least")
        self.limits = limits
    }

    /// Whether a build may start now; else it waits, and ``next(present:)`` names its Repository when its turn comes.
    ///
    func admits(_ ticket: Ticket, present: Present) -> Bool {
        state.withLock { state in
            settle(&state, present)
            state.waiting[ticket.job] = ticket
            guard turns(state, present).contains(ticket) else { return false }
            state.waiting[ticket.job] = nil
            let build = Running(job: ticket.job, repositoryUID: ticket.repositoryUID, owner: ticket.owner)
            state.admitted[ticket.job] = Admission(build: build, at: .now)
            return true
        }
    }

    /// Gives a place back: the Job was not made, or has come to its end.
    func release(_ job: String) {
        state.withLock { _ = $0.admitted.removeValue(forKey: job) }
    }

    /// Forgets what a Repository waits for, except for `jobs`.
    func keep(_ jobs: Set<String>, of repositoryUID: String) {
        state.withLock { state in
            state.waiting = state.waiting.filter { $1.repositoryUID != repositoryUID || jobs.contains($0) }
        }
    }

    /// The Repositories whose turn has come.
    func next(present: Present) -> [ObjectKey] {
        state.withLock { state in
            guard !state.waiting.isEmpty else { return [] }
            settle(&state, present)
            return Array(Set(turns(state, present).map(\.repository)))
        }
    }

    /// How many wait.
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// What runs needs no note any more that it was let in.
    private func settle(_ state: inout State, _ present: Present) {
        guard !state.admitted.isEmpty else { return }
        let running = Set(present.running.map(\.job))
        let oldest = ContinuousClock.now - Self.unseenMaximum
        state.admitted = state.admitted.filter { job, admission in
            !running.contains(job) && !present.ended.contains(job) && admission.at > oldest
        }
    }

    /// Those who have their turn, in order.
    private func turns(_ state: State, _ present: Present) -> [Ticket] {
        let busy = present.running + state.admitted.values.map(\.build)
        var total = busy.count
        var owners: [String: Int] = [:]
        var repositories: [String: Int] = [:]
        for build in busy {
            owners[build.owner, default: 0] += 1
            repositories[build.repositoryUID, default: 0] += 1
        }
        var waiting = state.waiting.values.sorted { ($0.since, $0.job) < ($1.since, $1.job) }
        var chosen: [Ticket] = []
        while total < limits.total {
            let candidates = waiting.indices.filter { index in
                owners[waiting[index].owner, default: 0] < limits.perOwner
                    && repositories[waiting[index].repositoryUID, default: 0] < limits.perRepository
            }
            // The order of time decides among owners with equally many: `min` takes the first.
            guard
                let index = candidates.min(by: {
                    owners[waiting[$0].owner, default: 0] < owners[waiting[$1].owner, default: 0]
                })
            else { break }
            let ticket = waiting.remove(at: index)
            chosen.append(ticket)
            total += 1
            owners[ticket.owner, default: 0] += 1
            repositories[ticket.repositoryUID, default: 0] += 1
        }
        return chosen
    }
}
