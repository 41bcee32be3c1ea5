import CNATS

/// A message of NATS, copied out of the library's memory.
struct NATSMessage: Sendable {
    let subject: String
    /// Where an answer goes; empty when none is wanted.
    let reply: String
    let data: [UInt8]
    /// The status of a message that is only that, such as `408`; empty for others.
    let status: String
    /// Of a message read from a stream: its number there.
    let sequence: UInt64?

    /// Copies a message.
    init(_ message: OpaquePointer) {
        subject = Self.text(natsMsg_GetSubject(message))
        reply = Self.text(natsMsg_GetReply(message))
        let count = Int(natsMsg_GetDataLength(message))
        if count > 0, let bytes = natsMsg_GetData(message) {
            data = Array(UnsafeRawBufferPointer(start: bytes, count: count))
        } else {
            data = []
        }
        // Nobody responds: the library marks it, and has no data.
        status = natsMsg_IsNoResponders(message) ? "503" : count == 0 ? Self.header(message, "Status") : ""
        sequence = UInt64(Self.header(message, "Nats-Sequence"))
    }

    private static func header(_ message: OpaquePointer, _ name: String) -> String {
        var value: UnsafePointer<CChar>?
        return natsMsgHeader_Get(message, name, &value) == NATS_OK ? text(value) : ""
    }

    private static func text(_ pointer: UnsafePointer<CChar>?) -> String {
        pointer.map { String(cString: $0) } ?? ""
    }
}
