import HTTP
import Synchronization
import Telemetry
import Threads
import Timing

/// Writes a line about each call, or about some of them, as JSON.
///
/// A thread of its own writes, so that no loop ever waits for whoever reads the lines. When that one is too slow, lines are
/// dropped and counted.
final class AccessLog: Sendable {
    /// What may wait to be written, in bytes.
    private static let waitingMaximum = 4 << 20
    /// How long `finish()` waits for a reader.
    private static let finishLimit = Duration.seconds(2)

    private let share: Double
    private let count = Atomic<Int>(0)
    private let mailbox = Mailbox<AccessEntry>(weightMaximum: waitingMaximum)
    private let ended: AsyncStream<Never>
    private let dropped: Counter

    /// Starts the log.
    ///
    /// - Parameters:
    ///   - share: Which part of all calls is told of, above 0 and at most 1, spread evenly.
    ///   - output: Where lines go.
    init(share: Double, output: LogOutput, registry: MetricsRegistry) {
        self.share = share
        dropped =
            registry.counter(
                "farebox_gateway_access_lines_dropped_total",
                "Lines of the access log that nobody took in time.", labels: []
            ).labels()
        let (ended, continuation) = AsyncStream<Never>.makeStream()
        self.ended = ended
        let logger = Logger(label: "access", output: output)
        let mailbox = mailbox
        let code = DetachedThread.start {
            while let entries = mailbox.takeAll() {
                for entry in entries {
                    entry.write(to: logger)
                }
            }
            continuation.finish()
        }
        if code != 0 {
            mailbox.close()
            continuation.finish()
        }
    }

    /// Takes note of a call that begins, if it is one of those that are told of.
    func entry(of route: Route, _ head: RequestHead, in bytes: Span<UInt8>) -> AccessEntry? {
        let number = Double(count.add(1, ordering: .relaxed).oldValue)
        guard (number * share).rounded(.down) != ((number + 1) * share).rounded(.down) else { return nil }
        return AccessEntry(log: self, function: route.calls.label, head, in: bytes)
    }

    /// Takes an entry whose call is over; never waits.
    func take(_ entry: AccessEntry) {
        if case .accepted = mailbox.put(entry, weight: entry.weight) { return }
        dropped.increment()
    }

    /// Takes no more entries, and returns when those that wait are written, or nobody reads.
    func finish() async {
        mailbox.close()
        let ended = ended
        try? await withDeadline(Self.finishLimit) { for await _ in ended {} }
    }
}
