import Glibc

/// The present time as a `Date` field wants it (RFC 9110 §5.6.7), put together once a second.
struct DateCache {
    private var second: time_t = -1
    private var text: [UInt8] = []

    /// Appends 29 bytes such as `Sun, 06 Nov 1994 08:49:37 GMT`.
    mutating func append(to output: inout [UInt8]) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME_COARSE, &now)
        if now.tv_sec != second {
            second = now.tv_sec
            text = Array(Self.format(now.tv_sec).utf8)
        }
        output.append(contentsOf: text)
    }

    /// Formats `second` seconds after 1970 as an IMF-fixdate.
    static func format(_ second: time_t) -> String {
        var second = second
        var parts = tm()
        gmtime_r(&second, &parts)
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let two = { (value: Int32) in value < 10 ? "0\(value)" : "\(value)" }
        return days[Int(parts.tm_wday)] + ", " + two(parts.tm_mday) + " " + months[Int(parts.tm_mon)]
            + " \(Int(parts.tm_year) + 1900) " + two(parts.tm_hour) + ":" + two(parts.tm_min) + ":"
            + two(parts.tm_sec) + " GMT"
    }
}
