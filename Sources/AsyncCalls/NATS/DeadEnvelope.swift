import JSON
import Timing

/// A call that was put away, as bytes: the length of a document about its end, the document, the call.
enum DeadEnvelope {
    /// What is known besides the call.
    struct End: Equatable {
        let attempts: Int
        let diedAt: Timestamp
        let reason: String
    }

    static func encode(_ call: AsyncCall, _ end: End) -> [UInt8] {
        let about = JSONWriter().write([
            "attempts": .integer(Int64(end.attempts)), "diedAt": .integer(end.diedAt.microseconds),
            "reason": .string(end.reason),
        ])
        var bytes: [UInt8] = []
        for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: about.count >> shift)) }
        return bytes + about + CallEnvelope.encode(call)
    }

    static func decode(_ bytes: [UInt8]) -> (call: AsyncCall, end: End)? {
        guard bytes.count >= 4, case let count = bytes[..<4].reduce(0, { $0 << 8 | Int($1) }),
            count <= bytes.count - 4, let about = try? JSONReader().parse(Array(bytes[4..<(4 + count)])),
            let call = try? CallEnvelope.decode(Array(bytes[(4 + count)...])),
            let attempts = about["attempts"]?.integerValue, let diedAt = about["diedAt"]?.integerValue
        else { return nil }
        return (
            call,
            End(
                attempts: Int(clamping: attempts), diedAt: Timestamp(microseconds: diedAt),
                reason: about["reason"]?.stringValue ?? "")
        )
    }
}
