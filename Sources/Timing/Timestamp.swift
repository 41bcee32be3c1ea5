import Glibc
import SwiftOverlayShims  // Where the compiler finds the members of `timespec`.

/// A point in time by the wall clock, in UTC, to the nanosecond, in the years 0 to 9999.
///
/// For people and for the API. It is not for measuring how long something takes: the wall clock can jump, so use
/// `ContinuousClock` for that.
public struct Timestamp: Sendable, Hashable, Comparable {
    /// Whole seconds since 1970-01-01T00:00:00Z without leap seconds, rounded towards the past.
    public let secondsSinceEpoch: Int64
    /// The rest, from 0 to 999 999 999.
    public let nanoseconds: Int32

    /// 0000-01-01T00:00:00Z.
    public static let earliest = Timestamp(uncheckedSeconds: -62_167_219_200, nanoseconds: 0)
    /// 9999-12-31T23:59:59.999999999Z.
    public static let latest = Timestamp(uncheckedSeconds: 253_402_300_799, nanoseconds: 999_999_999)

    /// The current time of the system's wall clock.
    public static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)  // Cannot fail: the clock exists and the pointer is ours.
        return Timestamp(secondsSinceEpoch: Int64(time.tv_sec), nanoseconds: Int32(time.tv_nsec))
    }

    /// Makes a point in time; outside the years 0 to 9999 it becomes the nearest end.
    ///
    /// - Parameters:
    ///   - secondsSinceEpoch: Whole seconds since 1970-01-01T00:00:00Z.
    ///   - nanoseconds: Nanoseconds after that; from 0 to 999 999 999.
    public init(secondsSinceEpoch: Int64, nanoseconds: Int32 = 0) {
        precondition((0..<1_000_000_000).contains(nanoseconds), "nanoseconds are from 0 to 999999999")
        let candidate = Timestamp(uncheckedSeconds: secondsSinceEpoch, nanoseconds: nanoseconds)
        self = min(max(candidate, .earliest), .latest)
    }

    private init(uncheckedSeconds: Int64, nanoseconds: Int32) {
        self.secondsSinceEpoch = uncheckedSeconds
        self.nanoseconds = nanoseconds
    }

    /// Whether a point in time is before another.
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        (left.secondsSinceEpoch, left.nanoseconds) < (right.secondsSinceEpoch, right.nanoseconds)
    }

    /// The time between two points; negative when the left one is earlier.
    public static func - (left: Timestamp, right: Timestamp) -> Duration {
        .seconds(left.secondsSinceEpoch - right.secondsSinceEpoch)
            + .nanoseconds(Int64(left.nanoseconds - right.nanoseconds))
    }

    /// A later point in time; beyond the years 0 to 9999 it is the nearest end.
    ///
    /// Parts below a nanosecond are cut off.
    public static func + (timestamp: Timestamp, duration: Duration) -> Timestamp {
        let (seconds, attoseconds) = duration.components
        let total =
            timestamp.nanosecondsSinceEpoch + Int128(seconds) * 1_000_000_000
            + Int128(attoseconds / 1_000_000_000)
        return Timestamp(nanosecondsSinceEpoch: total)
    }

    /// An earlier point in time; beyond the years 0 to 9999 it is the nearest end.
    ///
    /// Parts below a nanosecond are cut off.
    public static func - (timestamp: Timestamp, duration: Duration) -> Timestamp {
        let (seconds, attoseconds) = duration.components
        let total =
            timestamp.nanosecondsSinceEpoch - Int128(seconds) * 1_000_000_000
            - Int128(attoseconds / 1_000_000_000)
        return Timestamp(nanosecondsSinceEpoch: total)
    }

    private var nanosecondsSinceEpoch: Int128 {
        Int128(secondsSinceEpoch) * 1_000_000_000 + Int128(nanoseconds)
    }

    private init(nanosecondsSinceEpoch total: Int128) {
        let (quotient, remainder) = total.quotientAndRemainder(dividingBy: 1_000_000_000)
        let seconds = remainder < 0 ? quotient - 1 : quotient
        let nanoseconds = remainder < 0 ? remainder + 1_000_000_000 : remainder
        self.init(secondsSinceEpoch: Int64(clamping: seconds), nanoseconds: Int32(nanoseconds))
    }
}
