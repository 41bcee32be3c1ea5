import Testing

@testable import ControllerRuntime

@Suite("What a list-and-watch does next")
struct ReflectorMachineTests {
    typealias Machine = ReflectorMachine
    typealias ListRequest = ReflectorMachine.ListRequest

    let start = ContinuousClock.now

    func at(_ seconds: Double) -> ContinuousClock.Instant { start.advanced(by: .seconds(seconds)) }

    /// A machine whose first list came back with this version and whose watch is open since second 0.
    func watching(_ version: String = "41") -> Machine {
        var machine = Machine(seed: 1)
        _ = machine.handle(.started, now: start)
        _ = machine.handle(.page(version: version, continuation: nil), now: start)
        machine.watchStarted(now: start)
        _ = machine.handle(.watchOpened, now: start)
        return machine
    }

    @Test("The first list takes what the server's cache has, in pages of 500")
    func firstList() {
        var machine = Machine(seed: 1)

        let action = machine.handle(.started, now: start)

        #expect(action == .list(ListRequest(resourceVersion: "0", limit: 500)))
    }

    @Test("Pages follow by their token alone, and the last one is committed and watched from its version")
    func pages() {
        var machine = Machine(seed: 1)
        _ = machine.handle(.started, now: start)

        let second = machine.handle(.page(version: "40", continuation: "next"), now: start)
        let last = machine.handle(.page(version: "41", continuation: ""), now: start)

        #expect(second == .list(ListRequest(resourceVersion: "", limit: 500, continuation: "next")))
        guard case .commit(let watch) = last else {
            Issue.record("\(last)")
            return
        }
        #expect(watch.resourceVersion == "41")
    }

    @Test("Watches last a random time from 5 to 10 minutes, not all the same")
    func randomTimeouts() {
        let timeouts = (0..<50).map { seed -> Duration in
            var machine = Machine(seed: UInt64(seed))
            _ = machine.handle(.started, now: start)
            guard case .commit(let watch) = machine.handle(.page(version: "1", continuation: nil), now: start) else {
                return .zero
            }
            return watch.timeout
        }

        #expect(timeouts.allSatisfy { $0 >= .seconds(300) && $0 < .seconds(600) })
        #expect(Set(timeouts).count > 40)
    }

    @Test("A continue token that expired leads to one whole list")
    func expiredToken() {
        var machine = Machine(seed: 1)
        _ = machine.handle(.started, now: start)
        _ = machine.handle(.page(version: "40", continuation: "next"), now: start)

        let action = machine.handle(.listFailed(.expired), now: start)

        #expect(action == .list(ListRequest(resourceVersion: "", limit: nil)))
    }

    @Test(
        "A version the server cannot serve leads to one quorum read at once",
        arguments: [
            Machine.Failure.expired, .versionTooLarge,
        ])
    func quorumRead(failure: Machine.Failure) {
        var machine = watching()
        _ = machine.handle(.watchFailed(.expired), now: at(1))

        let quorum = machine.handle(.listFailed(failure), now: at(2))
        _ = machine.handle(.page(version: "7", continuation: nil), now: at(3))
        let later = machine.handle(.watchFailed(.expired), now: at(4))

        #expect(quorum == .list(ListRequest(resourceVersion: "", limit: 500)))
        #expect(later == .list(ListRequest(resourceVersion: "7", limit: nil)))
    }

    @Test("A quorum read that fails the same way waits")
    func quorumFailsToo() {
        var machine = watching()
        _ = machine.handle(.watchFailed(.expired), now: at(1))
        _ = machine.handle(.listFailed(.expired), now: at(1))

        let action = machine.handle(.listFailed(.expired), now: at(1))

        #expect(action.isPause)
        #expect(machine.handled(.resumed, now: at(9)) == .list(ListRequest(resourceVersion: "", limit: 500)))
    }

    @Test("An expired watch relists data no older than what was seen, without paging")
    func expiredWatch() {
        var machine = watching()

        let action = machine.handle(.watchFailed(.expired), now: at(100))

        #expect(action == .list(ListRequest(resourceVersion: "41", limit: nil)))
    }

    @Test("An expired error inside the stream relists too")
    func expiredInStream() {
        var machine = watching()
        _ = machine.observe(.modified, version: "45", now: at(1))

        let disposition = machine.observeError(.expired, now: at(2))

        #expect(disposition == .stop(.list(ListRequest(resourceVersion: "45", limit: nil))))
    }

    @Test(
        "A watch that ends after events resumes at once from the last version",
        arguments: [
            Machine.EventKind.added, .modified, .deleted, .bookmark,
        ])
    func resumes(kind: Machine.EventKind) {
        var machine = watching()
        _ = machine.observe(kind, version: "52", now: at(0.1))

        let action = machine.handle(.watchEnded, now: at(0.2))

        #expect(action.watchVersion == "52")
    }

    @Test("A watch that ends after its time without events resumes at once")
    func quietWatchResumes() {
        var machine = watching()

        let action = machine.handle(.watchEnded, now: at(400))

        #expect(action.watchVersion == "41")
    }

    @Test("A watch that ends at once without an event is a failure: no tight loop")
    func shortWatch() {
        var machine = watching()
        var pauses: [Duration] = []
        for _ in 0..<8 {
            guard case .pause(let delay) = machine.handle(.watchEnded, now: at(0.5)) else {
                Issue.record("no pause")
                return
            }
            pauses.append(delay)
            _ = machine.handle(.resumed, now: at(0.5))
            machine.watchStarted(now: at(0.5))
        }

        #expect(pauses[0] >= .milliseconds(800) && pauses[0] <= .milliseconds(1600))
        #expect(pauses[7] >= .seconds(30) && pauses[7] <= .seconds(60))
    }

    @Test(
        "Events say what to do with their object",
        arguments: [
            (Machine.EventKind.added, Machine.Disposition.store), (.modified, .store), (.deleted, .remove),
            (.bookmark, .ignore),
        ])
    func dispositions(kind: Machine.EventKind, expected: Machine.Disposition) {
        var machine = watching()

        let disposition = machine.observe(kind, version: "99", now: at(1))

        #expect(disposition == expected)
        #expect(machine.version == "99")
    }

    @Test("A bookmark without a version does not lose ours")
    func emptyBookmark() {
        var machine = watching()

        _ = machine.observe(.bookmark, version: "", now: at(1))

        #expect(machine.version == "41")
    }

    @Test(
        "A watch that began without a version keeps none from its first burst",
        arguments: [
            ([Machine.EventKind.added, .added], ""), ([.added, .modified], "3"), ([.added, .bookmark], "3"),
            ([.added, .deleted], "3"),
        ])
    func initialBurst(kinds: [Machine.EventKind], expected: String) {
        var machine = watching("")

        for (index, kind) in kinds.enumerated() {
            _ = machine.observe(kind, version: "\(index + 2)", now: at(1))
        }

        #expect(machine.version == expected)
    }

    @Test(
        "A failed watch backs off and resumes, without a list",
        arguments: [Machine.Failure.transport, .tooManyRequests(retryAfter: nil), .server])
    func retriableWatchFailures(failure: Machine.Failure) {
        var machine = watching()

        let pause = machine.handle(.watchFailed(failure), now: at(1))
        let then = machine.handle(.resumed, now: at(3))

        #expect(pause.isPause)
        #expect(then.watchVersion == "41")
    }

    @Test("A refused watch backs off and lists", arguments: [Machine.Failure.forbidden, .refused])
    func refusedWatch(failure: Machine.Failure) {
        var machine = watching()

        let pause = machine.handle(.watchFailed(failure), now: at(1))
        let then = machine.handle(.resumed, now: at(3))

        #expect(pause.isPause)
        #expect(then == .list(ListRequest(resourceVersion: "41", limit: nil)))
    }

    @Test("Internal errors lead to a list once they have lasted a minute")
    func internalErrors() {
        var machine = watching()
        _ = machine.handle(.watchFailed(.server), now: at(0))
        let early = machine.handle(.resumed, now: at(30))
        _ = machine.handle(.watchFailed(.server), now: at(61))

        let late = machine.handle(.resumed, now: at(65))

        #expect(early.watchVersion == "41")
        #expect(late == .list(ListRequest(resourceVersion: "41", limit: nil)))
    }

    @Test("The wait a server asks for is kept, up to two minutes", arguments: [(5, 5), (7200, 120)])
    func retryAfter(asked: Int, expected: Int) {
        var machine = watching()

        let action = machine.handle(.watchFailed(.tooManyRequests(retryAfter: .seconds(asked))), now: at(1))

        #expect(action == .pause(.seconds(expected)))
    }

    @Test(
        "A list that fails backs off and lists again",
        arguments: [
            Machine.Failure.forbidden, .transport, .server, .refused, .tooManyRequests(retryAfter: .seconds(1)),
        ])
    func listFails(failure: Machine.Failure) {
        var machine = Machine(seed: 1)
        _ = machine.handle(.started, now: start)

        let pause = machine.handle(.listFailed(failure), now: at(1))
        let then = machine.handle(.resumed, now: at(3))

        #expect(pause.isPause)
        #expect(then == .list(ListRequest(resourceVersion: "0", limit: 500)))
    }

    @Test("Failures are forgotten after two healthy minutes")
    func healthyAgain() {
        var machine = watching()
        for _ in 0..<10 {
            _ = machine.handle(.watchFailed(.transport), now: at(1))
            _ = machine.handle(.resumed, now: at(1))
            machine.watchStarted(now: at(1))
        }
        _ = machine.observe(.bookmark, version: "50", now: at(122))

        guard case .pause(let delay) = machine.handle(.watchFailed(.transport), now: at(123)) else {
            Issue.record("no pause")
            return
        }

        #expect(delay <= .milliseconds(1600))
    }

    @Test("A silent watch is reopened; only after many in a row is everything listed")
    func silentWatches() {
        var machine = watching()
        var actions: [Machine.Action] = []
        for round in 1...31 {
            actions.append(machine.handle(.watchSilent, now: at(Double(70 * round))))
            machine.watchStarted(now: at(Double(70 * round)))
        }

        #expect(actions.dropLast().allSatisfy { $0.watchVersion == "41" })
        #expect(actions.last == .list(ListRequest(resourceVersion: "41", limit: nil)))
    }

    @Test("Events that make no sense now change nothing")
    func strayEvents() {
        let machine = watching()

        #expect(machine.handled(.page(version: "1", continuation: nil), now: at(1)) == .proceed)
        #expect(machine.handled(.listFailed(.expired), now: at(1)) == .proceed)
        #expect(machine.handled(.resumed, now: at(1)) == .proceed)
        #expect(machine.version == "41")
    }

    @Test("However long the failures go on, the wait stays within its ceiling")
    func noOverflow() {
        var machine = watching()
        var longest = Duration.zero
        for _ in 0..<5000 {
            if case .pause(let delay) = machine.handle(.watchFailed(.transport), now: at(1)) {
                longest = max(longest, delay)
            }
            _ = machine.handle(.resumed, now: at(1))
        }

        #expect(longest <= .seconds(60))
    }
}

extension ReflectorMachine {
    /// `handle` on a copy, for use inside of an expectation.
    fileprivate func handled(_ event: Event, now: Instant) -> Action {
        var copy = self
        return copy.handle(event, now: now)
    }
}

extension ReflectorMachine.Action {
    fileprivate var isPause: Bool {
        if case .pause = self { true } else { false }
    }

    fileprivate var watchVersion: String? {
        if case .watch(let request) = self { request.resourceVersion } else { nil }
    }
}
