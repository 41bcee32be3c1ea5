import CRDs
import KubernetesTypes
import Timing

/// How long we show streams: the ledger keeps the truth, and the API server is no place for all of it.
///
/// Objects that somebody applied by hand are theirs and never removed.
struct ReceiptRetention: Sendable {
    /// Objects of ours that are kept at most, the newest.
    var objectsMaximum = 2000
    /// How long after a stream grew last its object is kept.
    var age = Duration.seconds(7 * 86_400)

    /// The objects of ours that are to be removed, oldest first.
    func overdue(among receipts: [Receipt], now: Timestamp) -> [Receipt] {
        let ours = receipts.filter { PublishedReceipt.cursor(of: $0) != nil && !$0.metadata.isBeingDeleted }
            .map { (receipt: $0, changedAt: Self.changedAt($0)) }
            .sorted { ($0.changedAt, $0.receipt.key) < ($1.changedAt, $1.receipt.key) }
        let surplus = max(0, ours.count - objectsMaximum)
        return ours.enumerated().filter { index, entry in
            index < surplus || isOver(entry.changedAt, now: now)
        }.map(\.element.receipt)
    }

    /// Whether a stream grew so long ago that it is not shown any more.
    func isOver(_ changedAt: Timestamp, now: Timestamp) -> Bool { now - changedAt > age }

    private static func changedAt(_ receipt: Receipt) -> Timestamp {
        receipt.metadata.annotations[FareboxAnnotation.changedAt].flatMap { Timestamp(rfc3339: $0) }
            ?? receipt.metadata.creationTimestamp?.timestamp ?? .earliest
    }
}
