import Glibc
import SwiftOverlayShims  // Where the compiler finds the members of `timespec`.

/// The time of a log line: UTC with milliseconds.
struct WallTime: Sendable {
    var secondsSinceEpoch: Int
    var milliseconds: Int

    static var now: WallTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)  // Cannot fail: the clock exists and the pointer is ours.
        return WallTime(secondsSinceEpoch: time.tv_sec, milliseconds: time.tv_nsec / 1_000_000)
    }

    /// RFC 3339, as in `2026-07-28T12:00:00.250Z`.
    var text: String {
        var seconds = time_t(secondsSinceEpoch)
        var fields = tm()
        guard gmtime_r(&seconds, &fields) != nil else { return "" }
        let date = "\(fields.tm_year + 1900)-\(digits(fields.tm_mon + 1))-\(digits(fields.tm_mday))"
        let time = "\(digits(fields.tm_hour)):\(digits(fields.tm_min)):\(digits(fields.tm_sec))"
        return "\(date)T\(time).\(digits(Int32(milliseconds), 3))Z"
    }

    private func digits(_ number: Int32, _ count: Int = 2) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }
}
