import CRDs
import ControllerRuntime
import KubernetesClient
import KubernetesTypes
import Payments
import Synchronization
import Telemetry
import Timing

/// Shows the ledger's streams as Receipt objects, in the order in which they changed.
///
/// The ledger is the queue: what one pass does not get done stays there for the next. A process that starts anew goes on
/// where the objects say that the one before it was. Only the spec is written here; the status is the controller's.
final class ReceiptPublisher: Sendable {
    /// What bounds the work.
    struct Limits: Sendable {
        /// Objects that are written, and removed, in one pass.
        var writesMaximum = 100
        /// Changes of streams that may wait; of a longer backlog only the newest are shown.
        var backlogMaximum: UInt64 = 1000
        var retention = ReceiptRetention()
    }

    /// The field manager of what it writes.
    static let fieldManager = "farebox-payments"
    private static let streamIndex = "stream"

    private let receipts: Informer<Receipt>
    private let ledger: any PaymentLedger
    private let desk: ReceiptDesk
    private let api: any KubernetesAPI
    private let homeNamespace: String
    private let limits: Limits
    private let metrics: PublisherMetrics
    private let logger = Logger(label: "receipts")
    /// Up to where streams are shown; nil before the first pass.
    private let cursor = Mutex<UInt64?>(nil)

    /// - Parameter homeNamespace: For streams that name no function.
    init(
        receipts: Informer<Receipt>, ledger: any PaymentLedger, desk: ReceiptDesk, api: any KubernetesAPI,
        homeNamespace: String, limits: Limits = Limits(), metrics: PublisherMetrics
    ) {
        self.receipts = receipts
        self.ledger = ledger
        self.desk = desk
        self.api = api
        self.homeNamespace = homeNamespace
        self.limits = limits
        self.metrics = metrics
        receipts.addIndex(Self.streamIndex) { receipt in
            receipt.status?.streamKey.map { [$0.text] } ?? []
        }
    }

    /// Shows what changed, and removes what is old.
    ///
    /// - Parameter newest: The cursor of the newest stream there can be.
    /// - Throws: `LedgerError`; `KubernetesError` when the API server takes nothing now: the next pass tries again.
    func pass(newest: UInt64, now: Timestamp) async throws {
        try await removeOverdue(now: now)
        var position = try await start(newest: newest)
        if newest > position, newest - position > limits.backlogMaximum {
            let skipped = newest - position - limits.backlogMaximum
            logger.warning("Too many streams changed to show all of them", ["skipped": skipped])
            metrics.skipped(skipped)
            position = newest - limits.backlogMaximum
            advance(to: position)
        }
        guard newest > position else { return }
        for record in try await ledger.streams(changedAfter: position, limit: limits.writesMaximum) {
            try await show(record, now: now)
            advance(to: record.cursor)
        }
    }

    private func advance(to position: UInt64) { cursor.withLock { $0 = position } }

    /// Where to go on: where the newest object stands, if this ledger knows its stream.
    private func start(newest: UInt64) async throws -> UInt64 {
        if let known = cursor.withLock({ $0 }) { return known }
        let shown = receipts.list().compactMap { receipt -> (cursor: UInt64, proof: StreamReceipt)? in
            guard let cursor = PublishedReceipt.cursor(of: receipt), cursor <= newest,
                let proof = PublishedReceipt.proof(in: receipt)
            else { return nil }
            return (cursor, proof)
        }
        var position: UInt64 = 0
        // Another ledger, or one from a backup, does not know where that was: then everything is looked at again.
        if let last = shown.max(by: { $0.cursor < $1.cursor }),
            let record = try await ledger.stream(nonce: last.proof.nonce, stream: last.proof.stream),
            record.cursor >= last.cursor
        {
            position = last.cursor
        }
        advance(to: position)
        return position
    }

    private func show(_ record: StreamRecord, now: Timestamp) async throws {
        guard !limits.retention.isOver(record.changedAt, now: now), !isShown(record) else { return }
        guard let proof = desk.receipt(of: record) else { throw LedgerError.unavailable("no seed is known yet") }
        let object = PublishedReceipt.object(of: record, proof, homeNamespace: homeNamespace)
        do {
            _ = try await api.apply(object, as: Self.fieldManager)
            metrics.published()
        } catch let error as KubernetesError where Self.isFinal(error) {
            // Its namespace is gone or going, or somebody forbids it: the stream stays in the ledger.
            logger.warning("A stream cannot be shown as a Receipt", ["receipt": object.key, "error": "\(error)"])
            metrics.skipped(1)
        }
    }

    private static func isFinal(_ error: KubernetesError) -> Bool {
        error.isNotFound || error.isForbidden || error.isInvalid || error.isConflict
    }

    /// Whether the cluster shows this total of a stream already: by an object of ours, or one that was applied by hand.
    private func isShown(_ record: StreamRecord) -> Bool {
        if let present = receipts.get(PublishedReceipt.key(of: record, homeNamespace: homeNamespace)) {
            // An object under this name without our label is somebody else's.
            guard PublishedReceipt.isMarked(present) else { return true }
            if let proof = PublishedReceipt.proof(in: present), proof.total == record.total,
                proof.nonce == record.nonce, proof.stream == record.stream
            {
                return true
            }
        }
        return receipts.objects(index: Self.streamIndex, value: StreamKey(record).text).contains { receipt in
            guard !PublishedReceipt.isMarked(receipt), let status = receipt.status else { return false }
            return status.conditions.condition(ReceiptCondition.verified.rawValue)?.status == .true
                && (status.totalReceived.flatMap { UInt64($0) } ?? 0) >= record.total
        }
    }

    private func removeOverdue(now: Timestamp) async throws {
        let overdue = limits.retention.overdue(among: receipts.list(), now: now)
        for receipt in overdue.prefix(limits.writesMaximum) {
            do {
                try await api.delete(
                    Receipt.self, receipt.key,
                    options: DeleteOptions(
                        uid: receipt.metadata.uid, resourceVersion: receipt.metadata.resourceVersion))
                metrics.removed()
            } catch let error as KubernetesError where Self.isFinal(error) {
                // Gone, or changed: the next pass sees what it is then.
            }
        }
    }
}
