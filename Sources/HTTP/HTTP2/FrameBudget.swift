/// How many frames that ask for work and bring nothing a client may send: a bucket that fills again with time and with
/// content.
///
/// Streams that are opened and reset at once (CVE-2023-44487), floods of pings, settings, window updates and empty data
/// (CVE-2019-9512 to 9518), and requests made so that we reset them (CVE-2025-8671) all come to the same: more such frames
/// than any client in earnest sends. Browsers that leave a page reset some dozens at once.
struct FrameBudget {
    /// What may be sent at once.
    static let capacity = 1000
    /// What is given back each second.
    static let refillPerSecond = 100
    /// Content of so many bytes gives one back: a client updates its windows as it takes content.
    static let bytesPerFrame = 8 * 1024

    private var left = FrameBudget.capacity
    private var refilledAt: UInt64
    private var bytes = 0

    /// Makes a full bucket at `now`, in nanoseconds.
    init(now: UInt64) {
        refilledAt = now
    }

    /// Takes `cost` out.
    ///
    /// - Returns: Whether there was as much; the connection had better be ended else.
    mutating func spend(_ cost: Int, now: UInt64) -> Bool {
        refill(now)
        left -= cost
        return left >= 0
    }

    /// Takes note of content that passed in either direction.
    mutating func passed(_ count: Int) {
        bytes += count
        let earned = bytes / Self.bytesPerFrame
        bytes -= earned * Self.bytesPerFrame
        left = min(Self.capacity, left + earned)
    }

    private mutating func refill(_ now: UInt64) {
        guard now > refilledAt else { return }
        let unit = 1_000_000_000 / UInt64(Self.refillPerSecond)
        let units = (now - refilledAt) / unit
        guard units > 0 else { return }
        refilledAt += units * unit
        left = min(Self.capacity, left + Int(clamping: units))
    }
}
