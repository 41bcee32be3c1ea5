import Testing

@testable import Gateway

@Suite("Measuring how busy a function is")
struct LoadMeterTests {
    private let start = ContinuousClock.now

    private func at(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

    @Test("The times of calls add up, also of those under way, and idle time counts from the end of the last")
    func adds() {
        let meter = LoadMeter()
        meter.began(at: at(100))
        meter.began(at: at(101))
        meter.ended(at: at(103))

        let during = meter.read(at: at(104))
        meter.ended(at: at(105))
        let after = meter.read(at: at(115))

        #expect(during == LoadMeter.Reading(inFlight: 1, busy: .seconds(6), idle: .zero))
        #expect(after == LoadMeter.Reading(inFlight: 0, busy: .seconds(7), idle: .seconds(10)))
    }

    @Test("A function that had no call has nothing to tell")
    func untouched() {
        #expect(LoadMeter().read() == nil)
    }

    @Test("Loops that come late to the lock count no time twice")
    func late() {
        let meter = LoadMeter()
        meter.began(at: at(10))
        meter.began(at: at(9.9))
        meter.ended(at: at(9.95))
        meter.ended(at: at(11))

        let reading = meter.read(at: at(10.5))

        #expect(reading == LoadMeter.Reading(inFlight: 0, busy: .seconds(1), idle: .zero))
    }
}
