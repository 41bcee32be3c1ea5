import Payments
import Synchronization
import Telemetry
import Timing

/// Looks at the ledger now and then, and passes on what changed; in a cluster where nothing is paid or used it sends nothing.
final class LedgerFollower: Sendable {
    /// How often the ledger is looked at; so no object is written more often.
    static let interval = Duration.seconds(10)

    private let ledger: any PaymentLedger
    private let publisher: ReceiptPublisher
    private let accountsChanged: @Sendable ([PaymentAccount]?) -> Void
    private let cursor = Mutex<UInt64?>(nil)
    private let logger = Logger(label: "ledger")

    /// - Parameter accountsChanged: Told whose money or calls changed; nil stands for everybody.
    init(
        ledger: any PaymentLedger, publisher: ReceiptPublisher,
        accountsChanged: @escaping @Sendable ([PaymentAccount]?) -> Void
    ) {
        self.ledger = ledger
        self.publisher = publisher
        self.accountsChanged = accountsChanged
    }

    /// Looks until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            await pass()
            // The ledger tells nobody of changes by other replicas. A sleep throws only when the task is cancelled, which is
            // looked at next.
            try? await Task.sleep(for: Self.interval)
        }
    }

    /// Looks once; what does not work now is done by the next pass.
    func pass(now: Timestamp = .now) async {
        do {
            let last = cursor.withLock { $0 }
            let changes = try await ledger.changes(after: last)
            cursor.withLock { $0 = changes.cursor }
            if last == nil || !changes.isComplete {
                // Between a first look of somebody else and ours, anything may have happened.
                accountsChanged(nil)
            } else if !changes.accounts.isEmpty {
                accountsChanged(Array(changes.accounts))
            }
            try await publisher.pass(newest: changes.streamCursor, now: now)
        } catch is CancellationError {
            // The process ends, or leads no more.
        } catch {
            logger.warning("What is paid is not shown for now, and tried again", ["error": "\(error)"])
        }
    }
}
