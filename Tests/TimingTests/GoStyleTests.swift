import Testing
import Timing

@Suite("Durations in Go's style")
struct GoStyleTests {
    @Test(
        "A duration is read as Go reads it",
        arguments: [
            ("0", .zero), ("-0", .zero), ("0s", .zero), ("10s", .seconds(10)), ("5m", .seconds(300)),
            ("1h30m", .seconds(5400)), ("100ms", .milliseconds(100)), ("1.5s", .milliseconds(1500)),
            (".5s", .milliseconds(500)), ("1.s", .seconds(1)), ("-1.5h", .seconds(-5400)), ("+2us", .microseconds(2)),
            ("2\u{b5}s", .microseconds(2)), ("2\u{3bc}s", .microseconds(2)), ("7ns", .nanoseconds(7)),
            ("1h1m1s1ms1us1ns", .seconds(3661) + .nanoseconds(1_001_001)), ("1s1s", .seconds(2)),
            ("0.9ns", .zero), ("0.333333333333333333h", .nanoseconds(1_199_999_999_999)),
            ("2562047h47m16.854775807s", .nanoseconds(Int64.max)),
        ] as [(String, Duration)])
    func reading(text: String, expected: Duration) {
        #expect(Duration(goStyle: text) == expected)
    }

    @Test(
        "What Go does not read is refused",
        arguments: [
            "", "-", "+", ".", "s", "3", "-3", "1.5", ".s", "1x", "1d", "1S", "1 s", " 1s", "1s ", "1h-2m", "--1s",
            "1e3s",
            "2562047h47m16.854775808s", "9223372036854775808ns", "99999999999999999999s", "100000000000000000000000h",
            "1s\0", String(repeating: "1s", count: 33),
        ])
    func refused(text: String) {
        #expect(Duration(goStyle: text) == nil)
    }

    @Test(
        "A duration is written as Go writes it",
        arguments: [
            (.zero, "0s"), (.nanoseconds(1), "1ns"), (.nanoseconds(1100), "1.1µs"), (.microseconds(2200), "2.2ms"),
            (.milliseconds(3300), "3.3s"), (.seconds(65), "1m5s"), (.seconds(300) + .milliseconds(1), "5m0.001s"),
            (.seconds(5400), "1h30m0s"), (.seconds(-10), "-10s"), (.milliseconds(100), "100ms"),
            (.seconds(86_400), "24h0m0s"), (.nanoseconds(Int64.max), "2562047h47m16.854775807s"),
            (.seconds(Int64.max), "2562047h47m16.854775807s"), (.nanoseconds(Int64.min), "-2562047h47m16.854775808s"),
        ] as [(Duration, String)])
    func writing(duration: Duration, expected: String) {
        #expect(duration.goStyle == expected)
    }
}
