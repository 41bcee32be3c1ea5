/// How many calls of one function went well, and how many did not: all together, and minute by minute for the last hour.
///
/// A value of 3/4 KiB; a minute without a call costs nothing.
struct CallHistory {
    /// For how many minutes it is known which calls were when.
    static let minutesMaximum = 60

    /// Calls, by what became of them: codes from 200 to 399 are success, as OpenFaaS Cloud has it.
    struct Counts: Equatable, Sendable {
        var success: UInt64 = 0
        var failure: UInt64 = 0
    }

    private struct Minute {
        var number: UInt32 = 0
        var success: UInt32 = 0
        var failure: UInt32 = 0
    }

    private var minutes = [Minute](repeating: Minute(), count: minutesMaximum)
    /// All calls there were.
    private(set) var total = Counts()

    /// Counts one call.
    ///
    /// - Parameters:
    ///   - status: What the caller was told.
    ///   - minute: Any count of minutes that never goes back.
    mutating func count(status: Int, minute: UInt32) {
        let index = Int(minute) % Self.minutesMaximum
        if minutes[index].number != minute { minutes[index] = Minute(number: minute) }
        if (200..<400).contains(status) {
            minutes[index].success &+= 1
            total.success &+= 1
        } else {
            minutes[index].failure &+= 1
            total.failure &+= 1
        }
    }

    /// The calls of the last minutes, the one that is not over included.
    ///
    /// - Parameters:
    ///   - count: How many minutes, at most ``minutesMaximum``.
    ///   - minute: The present one.
    func counts(ofLast count: Int, minute: UInt32) -> Counts {
        let first = minute &- UInt32(clamping: min(max(count, 1), Self.minutesMaximum) - 1)
        var counts = Counts()
        // A minute before the first wraps around to a great distance.
        for entry in minutes where entry.number &- first <= minute &- first {
            counts.success &+= UInt64(entry.success)
            counts.failure &+= UInt64(entry.failure)
        }
        return counts
    }
}
