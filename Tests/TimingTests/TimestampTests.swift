import Testing
import Timing

@Suite("Timestamps")
struct TimestampTests {
    @Test(
        "An RFC 3339 text is read whatever its offset and precision",
        arguments: [
            ("1970-01-01T00:00:00Z", 0, 0),
            ("1969-12-31T23:59:59Z", -1, 0),
            ("2026-07-28T12:34:56Z", 1_785_242_096, 0),
            ("2026-07-28T14:34:56+02:00", 1_785_242_096, 0),
            ("2026-07-28t07:04:56-05:30", 1_785_242_096, 0),
            ("2026-07-28T12:34:56.5z", 1_785_242_096, 500_000_000),
            ("2026-07-28T12:34:56.123456789Z", 1_785_242_096, 123_456_789),
            ("2026-07-28T12:34:56.1234567899Z", 1_785_242_096, 123_456_789),
            ("2000-02-29T00:00:00-00:00", 951_782_400, 0),
            ("0000-01-01T00:00:00Z", -62_167_219_200, 0),
            ("9999-12-31T23:59:59Z", 253_402_300_799, 0),
            ("9999-12-31T23:59:59-01:00", 253_402_300_799, 999_999_999),
        ] as [(String, Int64, Int32)])
    func reading(text: String, seconds: Int64, nanoseconds: Int32) {
        let timestamp = Timestamp(rfc3339: text)

        #expect(timestamp == Timestamp(secondsSinceEpoch: seconds, nanoseconds: nanoseconds))
    }

    @Test(
        "What is no RFC 3339 time is refused",
        arguments: [
            "", "2026", "2026-07-28", "2026-07-28T12:34:56", "2026-07-28 12:34:56Z", "2026-7-28T12:34:56Z",
            "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
            "2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
            "2026-12-31T23:59:60Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00,5Z", "2026-01-01T00:00:00+24:00",
            "2026-01-01T00:00:00+00:60", "2026-01-01T00:00:00+0000", "2026-01-01T00:00:00+00", "2026-01-01T00:00:00ZZ",
            "+026-01-01T00:00:00Z", "-026-01-01T00:00:00Z", "２026-01-01T00:00:00Z", "2026-01-01T00:00:00Z\n",
            "2026-01-01T00:00:00.000000000000000000000000000000000Z",
        ])
    func refused(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test("Each precision writes its own number of digits")
    func writing() {
        let timestamp = Timestamp(secondsSinceEpoch: 1_785_242_096, nanoseconds: 1_002_999)

        #expect(timestamp.rfc3339() == "2026-07-28T12:34:56Z")
        #expect(timestamp.rfc3339(.microseconds) == "2026-07-28T12:34:56.001002Z")
        #expect(timestamp.rfc3339(.nanoseconds) == "2026-07-28T12:34:56.001002999Z")
        #expect(Timestamp.earliest.rfc3339() == "0000-01-01T00:00:00Z")
        #expect(Timestamp.latest.rfc3339(.nanoseconds) == "9999-12-31T23:59:59.999999999Z")
    }

    @Test("A day in each week of 800 years survives a round trip")
    func days() {
        for day in stride(from: Int64(-200_000), through: 100_000, by: 7) {
            let timestamp = Timestamp(secondsSinceEpoch: day * 86_400 + 86_399, nanoseconds: 7)
            guard Timestamp(rfc3339: timestamp.rfc3339(.nanoseconds)) == timestamp else {
                Issue.record("day \(day) reads back differently: \(timestamp.rfc3339(.nanoseconds))")
                return
            }
        }
    }

    @Test("Arithmetic carries over seconds and stops at the ends of the calendar")
    func arithmetic() {
        let timestamp = Timestamp(secondsSinceEpoch: -1, nanoseconds: 900_000_000)

        #expect(timestamp + .milliseconds(200) == Timestamp(secondsSinceEpoch: 0, nanoseconds: 100_000_000))
        #expect(timestamp - .milliseconds(950) == Timestamp(secondsSinceEpoch: -2, nanoseconds: 950_000_000))
        #expect(timestamp - Timestamp(secondsSinceEpoch: 1) == .milliseconds(-1100))
        #expect(timestamp + .seconds(Int64.max) == .latest)
        #expect(timestamp - .seconds(Int64.max) == .earliest)
        #expect(timestamp < Timestamp(secondsSinceEpoch: 0))
        #expect(Timestamp(secondsSinceEpoch: .min) == .earliest)
    }

    @Test("The current time is after this test was written and does not stand still for long")
    func now() {
        let first = Timestamp.now
        let second = Timestamp.now

        #expect(first > Timestamp(secondsSinceEpoch: 1_785_000_000))
        #expect(second >= first)
    }
}
