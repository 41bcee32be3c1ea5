import KubernetesTypes
import Testing
import Timing

@testable import Operator

@Suite("The queue of builds")
struct BuildQueueTests {
    private static func ticket(
        _ owner: String, _ number: Int, repository: String? = nil, at second: Int64
    ) -> BuildQueue.Ticket {
        let repository = repository ?? owner + "-shop"
        return BuildQueue.Ticket(
            job: "\(owner)-\(number)", repository: ObjectKey(namespace: "n", name: repository),
            repositoryUID: repository,
            owner: owner, since: Time(Timestamp(secondsSinceEpoch: second)))
    }

    private static func running(_ tickets: [BuildQueue.Ticket], ended: Set<String> = []) -> BuildQueue.Present {
        BuildQueue.Present(
            running: tickets.map { .init(job: $0.job, repositoryUID: $0.repositoryUID, owner: $0.owner) }, ended: ended)
    }

    @Test("lets in as many as are allowed, and no more")
    func total() {
        let queue = BuildQueue(limits: .init(total: 2, perOwner: 2, perRepository: 2))
        let tickets = (1...3).map { Self.ticket("alice", $0, at: Int64($0)) }

        let admitted = tickets.map { queue.admits($0, present: .init()) }

        #expect(admitted == [true, true, false])
        #expect(queue.waitingCount == 1)
    }

    @Test("gives the next place to the owner with the fewest builds, not to the first in line")
    func fairness() {
        let queue = BuildQueue(limits: .init(total: 3, perOwner: 3, perRepository: 3))
        let busy = (1...3).map { Self.ticket("alice", $0, at: 1) }
        let present = Self.running(busy)
        for number in 4...9 { #expect(!queue.admits(Self.ticket("alice", number, at: 2), present: present)) }
        #expect(!queue.admits(Self.ticket("bob", 1, at: 9), present: present))

        let next = queue.next(present: Self.running(Array(busy.dropFirst())))

        #expect(next.map(\.name) == ["bob-shop"])
        #expect(!queue.admits(Self.ticket("alice", 4, at: 2), present: Self.running(Array(busy.dropFirst()))))
        #expect(queue.admits(Self.ticket("bob", 1, at: 9), present: Self.running(Array(busy.dropFirst()))))
    }

    @Test("keeps the order of one owner's pushes")
    func order() {
        let queue = BuildQueue(limits: .init(total: 1, perOwner: 1, perRepository: 1))
        let busy = Self.ticket("carol", 1, at: 0)
        let late = Self.ticket("alice", 2, at: 20)
        let early = Self.ticket("alice", 1, repository: "other", at: 10)
        _ = queue.admits(late, present: Self.running([busy]))
        _ = queue.admits(early, present: Self.running([busy]))

        let isLateFirst = queue.admits(late, present: .init())
        let isEarlyFirst = queue.admits(early, present: .init())

        #expect(!isLateFirst)
        #expect(isEarlyFirst)
    }

    @Test(
        "holds each owner and each Repository to its share",
        arguments: [
            (owner: 1, repository: 5, admitted: [true, false, false]),
            (owner: 5, repository: 1, admitted: [true, false, true]),
        ])
    func shares(owner: Int, repository: Int, admitted: [Bool]) {
        let queue = BuildQueue(limits: .init(total: 9, perOwner: owner, perRepository: repository))
        let tickets = [
            Self.ticket("alice", 1, at: 1), Self.ticket("alice", 2, at: 2),
            Self.ticket("alice", 3, repository: "b", at: 3),
        ]

        #expect(tickets.map { queue.admits($0, present: .init()) } == admitted)
    }

    @Test("counts what was let in until the informers show it, and not longer")
    func admittedButUnseen() {
        let queue = BuildQueue(limits: .init(total: 1, perOwner: 1, perRepository: 1))
        let first = Self.ticket("alice", 1, at: 1)
        let second = Self.ticket("bob", 1, at: 2)
        #expect(queue.admits(first, present: .init()))
        #expect(!queue.admits(second, present: .init()), "the informers do not show the first one yet")

        #expect(!queue.admits(second, present: Self.running([first])))
        #expect(queue.admits(second, present: Self.running([], ended: [first.job])))
    }

    @Test("gives a place back when a Job could not be made, or nobody waits for it any more")
    func release() {
        let queue = BuildQueue(limits: .init(total: 1, perOwner: 1, perRepository: 1))
        let first = Self.ticket("alice", 1, at: 1)
        _ = queue.admits(first, present: .init())
        let second = Self.ticket("bob", 1, at: 2)
        _ = queue.admits(second, present: .init())
        let third = Self.ticket("carol", 1, at: 3)
        _ = queue.admits(third, present: .init())

        queue.release(first.job)
        queue.keep([], of: second.repositoryUID)

        #expect(queue.next(present: .init()) == [third.repository])
    }

    @Test("comes to an end whatever the order in which builds end")
    func liveness() {
        let queue = BuildQueue(limits: .init(total: 3, perOwner: 2, perRepository: 1))
        var waiting = Set<BuildQueue.Ticket>()
        for owner in ["a", "b", "c", "d"] {
            for number in 0..<5 {
                waiting.insert(Self.ticket(owner, number, repository: "\(owner)\(number % 2)", at: Int64(number)))
            }
        }
        var running: [BuildQueue.Ticket] = []
        var done = 0
        var rounds = 0
        while done < 20, rounds < 200 {
            rounds += 1
            for ticket in waiting.sorted(by: { $0.job < $1.job })
            where queue.admits(ticket, present: Self.running(running)) {
                waiting.remove(ticket)
                running.append(ticket)
            }
            #expect(running.count <= 3)
            if !running.isEmpty {
                running.remove(at: rounds % running.count)
                done += 1
            }
        }

        #expect(done == 20)
        #expect(queue.waitingCount == 0)
    }
}
