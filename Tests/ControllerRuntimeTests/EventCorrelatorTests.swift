import KubernetesTypes
import Testing
import Timing

@testable import ControllerRuntime

@Suite("Folding events into series")
struct EventCorrelatorTests {
    let start = ContinuousClock.now

    func at(_ minutes: Double) -> ContinuousClock.Instant { start.advanced(by: .seconds(minutes * 60)) }

    func wall(_ minutes: Int64) -> MicroTime {
        MicroTime(Timestamp(secondsSinceEpoch: 1_700_000_000 + minutes * 60))
    }

    func event(
        reason: String = "BuildFailed", note: String = "exit 1", version: String = "1", name: String = "w"
    ) -> Event {
        Event(
            metadata: ObjectMeta(name: "w.1", namespace: "test"), eventTime: wall(0),
            reportingController: "farebox.dev/test", reportingInstance: "me", action: "Build", reason: reason,
            regarding: ObjectReference(kind: "Widget", namespace: "test", name: name, resourceVersion: version),
            note: note, type: "Warning")
    }

    @Test("The first of its kind is created")
    func first() {
        var correlator = EventCorrelator()

        let action = correlator.record(event(), now: at(0), wall: wall(0))

        #expect(action == .create(event()))
    }

    @Test("The second makes a series of two, at once; note and version of the object do not matter")
    func second() {
        var correlator = EventCorrelator()
        _ = correlator.record(event(), now: at(0), wall: wall(0))

        let action = correlator.record(event(note: "exit 2", version: "9"), now: at(1), wall: wall(1))

        var expected = event()
        expected.series = Event.Series(count: 2, lastObservedTime: wall(1))
        #expect(action == .patch(expected))
    }

    @Test("Further ones are only counted, until the series ends after six quiet minutes")
    func series() {
        var correlator = EventCorrelator()
        let actions = (0..<5).map { correlator.record(event(), now: at(Double($0)), wall: wall(Int64($0))) }

        let early = correlator.tick(now: at(9.9))
        let end = correlator.tick(now: at(10))

        var expected = event()
        expected.series = Event.Series(count: 5, lastObservedTime: wall(4))
        #expect(actions.map { $0 != nil } == [true, true, false, false, false])
        #expect(early.isEmpty)
        #expect(end == [.patch(expected)])
        #expect(correlator.count == 0)
    }

    @Test("A series that goes on is written every half hour")
    func refresh() {
        var correlator = EventCorrelator()
        var written: [Double] = []
        for minute in 0..<100 {
            _ = correlator.record(event(), now: at(Double(minute)), wall: wall(Int64(minute)))
            if !correlator.tick(now: at(Double(minute))).isEmpty {
                written.append(Double(minute))
            }
        }

        #expect(written == [31, 61, 91])
    }

    @Test("After the quiet a repetition begins anew")
    func afterQuiet() {
        var correlator = EventCorrelator()
        _ = correlator.record(event(), now: at(0), wall: wall(0))

        let action = correlator.record(event(), now: at(6), wall: wall(6))

        #expect(action == .create(event()))
    }

    @Test("Events that differ in more than their note are different ones")
    func different() {
        var correlator = EventCorrelator()
        _ = correlator.record(event(), now: at(0), wall: wall(0))

        let other = correlator.record(event(reason: "Other"), now: at(0), wall: wall(0))
        let another = correlator.record(event(name: "v"), now: at(0), wall: wall(0))

        #expect(other == .create(event(reason: "Other")))
        #expect(another == .create(event(name: "v")))
    }

    @Test("It remembers no more than its limit")
    func bounded() {
        var correlator = EventCorrelator()

        for number in 0..<EventCorrelator.eventsMaximum + 10 {
            _ = correlator.record(event(name: "w\(number)"), now: at(0), wall: wall(0))
        }

        #expect(correlator.count == EventCorrelator.eventsMaximum)
    }
}
