import CRDs
import Payments

/// What is to be said of a Receipt object.
enum ReceiptVerdict: Hashable, Sendable {
    /// It is worth nothing and never will be.
    case refused(ReceiptReason, String)
    /// It is genuine and brought something.
    case credited(StreamCredit, StreamReceipt)
    /// It is genuine, and its total is not above what was seen before; with what the ledger knows of the stream.
    case nothingNew(highest: UInt64, StreamReceipt, StreamRecord?)
    /// We made the object ourselves, to show a stream.
    case shown(StreamRecord)
    /// The ledger cannot be asked now.
    case waiting(String)

    /// Reads a refusal, with what the ledger knows of the stream.
    init(_ error: ReceiptError, _ receipt: StreamReceipt, record: StreamRecord?) {
        switch error {
        case .malformed, .unknownVersion: self.init(malformed: error)
        case .forged:
            self = .refused(
                .forged,
                """
                \(error); it cannot be paid out here: query the function's payment pointer again, and apply what the wallet \
                gives for that
                """)
        case .nothingNew(let highest): self = .nothingNew(highest: highest, receipt, record)
        case .unknownNonce, .expired:
            // What was taken in time stays taken: somebody handed it in before.
            if let record, record.total >= receipt.total {
                self = .nothingNew(highest: record.total, receipt, record)
            } else {
                self = .refused(
                    error == .expired ? .expired : .unknownPaymentRequest,
                    "\(error); query the function's payment pointer again and apply receipts as they come in")
            }
        }
    }

    /// Reads why bytes are no receipt.
    init(malformed error: ReceiptError) {
        self = .refused(
            error == .unknownVersion ? .unknownVersion : .malformed, "\(error); apply the text as the wallet gave it")
    }
}
