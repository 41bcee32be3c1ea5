import CRDs
import Cryptography
import Payments

/// Names a stream in the form that a status has it.
struct StreamKey: Hashable, Sendable {
    /// In base64.
    let nonce: String
    let stream: String

    init(nonce: String, stream: String) {
        self.nonce = nonce
        self.stream = stream
    }

    init(_ receipt: StreamReceipt) {
        self.init(nonce: Base64.encode(receipt.nonce), stream: String(receipt.stream))
    }

    init(_ record: StreamRecord) {
        self.init(nonce: Base64.encode(record.nonce), stream: String(record.stream))
    }

    /// For an index.
    var text: String { nonce + "/" + stream }
}

extension ReceiptStatus {
    /// The stream that the object stands for; nil before a receipt of it was genuine.
    var streamKey: StreamKey? {
        guard let nonce, let streamID else { return nil }
        return StreamKey(nonce: nonce, stream: streamID)
    }
}
