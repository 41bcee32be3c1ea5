import Scaling
import Testing

@Suite("When a sleeping function is asked for")
struct WakeMachineTests {
    private let start = ContinuousClock.now

    @Test("Many who want it at once make one request")
    func once() {
        var machine = WakeMachine(replicas: 0)

        let asked = (0..<200).filter { _ in machine.wanted(now: start) }

        #expect(asked.count == 1)
    }

    @Test("One that has replicas, ready or not, is only waited for")
    func starting() {
        var machine = WakeMachine(replicas: 3)

        let wanted = machine.wanted(now: start)
        let told = machine.told(replicas: 2, isAwaited: true, now: start)

        #expect(!wanted && !told)
    }

    @Test("What the watch has not heard of yet is not asked for again, until that should be long past")
    func settling() {
        var machine = WakeMachine(replicas: 0)
        _ = machine.wanted(now: start)
        machine.answered(now: start)

        let soon = machine.wanted(now: start + .seconds(1))
        let stale = machine.told(replicas: 0, isAwaited: true, now: start + .seconds(1))
        let late = machine.wanted(now: start + .seconds(3))

        #expect(!soon && !stale && late)
    }

    @Test("A replica that is taken away again while somebody waits is asked for again")
    func takenAway() {
        var machine = WakeMachine(replicas: 0)
        _ = machine.wanted(now: start)
        machine.answered(now: start)
        _ = machine.told(replicas: 1, isAwaited: true, now: start + .milliseconds(10))

        let awaited = machine.told(replicas: 0, isAwaited: true, now: start + .milliseconds(20))

        #expect(awaited)
    }

    @Test("A function that goes to sleep with nobody waiting sleeps until it is wanted")
    func sleeps() {
        var machine = WakeMachine(replicas: 1)

        let asleep = machine.told(replicas: 0, isAwaited: false, now: start)
        let wanted = machine.wanted(now: start)

        #expect(!asleep && wanted)
    }

    @Test("The watch may be faster than the answer")
    func fastWatch() {
        var machine = WakeMachine(replicas: 0)
        _ = machine.wanted(now: start)
        _ = machine.told(replicas: 1, isAwaited: true, now: start)
        machine.answered(now: start)

        let again = machine.told(replicas: 0, isAwaited: true, now: start + .milliseconds(1))

        #expect(again)
    }

    @Test("A request that failed is made again after longer and longer waits while somebody waits")
    func retries() {
        var machine = WakeMachine(replicas: 0)
        _ = machine.wanted(now: start)
        var waits: [Duration] = []

        for _ in 0..<10 {
            guard let wait = machine.failed(isAwaited: true) else { break }
            waits.append(wait)
            let early = machine.wanted(now: start)
            let again = machine.again(isAwaited: true)
            #expect(!early && again)
        }

        #expect(waits.count == 10)
        #expect(waits[0] <= .milliseconds(100) && waits[9] <= .seconds(5) && waits[9] > .seconds(3))
    }

    @Test("Nobody who waits, nobody who asks")
    func givenUp() {
        var machine = WakeMachine(replicas: 0)
        _ = machine.wanted(now: start)

        let wait = machine.failed(isAwaited: false)
        let next = machine.wanted(now: start)
        _ = machine.failed(isAwaited: true)
        let after = machine.again(isAwaited: false)
        let last = machine.wanted(now: start)

        #expect(wait == nil && next && !after && last)
    }
}
