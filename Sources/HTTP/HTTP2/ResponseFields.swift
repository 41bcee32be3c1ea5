/// The head of a response, read back from HTTP/1.1 to be sent as fields of HTTP/2.
struct ResponseFields {
    /// More than any head that is passed on and what is added to it.
    private static let limits = {
        var limits = HeadLimits()
        limits.headBytesMaximum = 128 * 1024
        limits.requestLineBytesMaximum = 16 * 1024
        limits.fieldsMaximum = 256
        return limits
    }()

    /// The bytes that `status` and `fields` lie in.
    let bytes: [UInt8]
    /// The three digits.
    let status: ByteRange
    /// The fields; none of them concerns a connection (RFC 9113 §8.2.2).
    let fields: [FieldRecord]

    /// Reads the head that `message` begins with.
    ///
    /// - Returns: The head and where it ends; `nil` when it is none, which is a mistake of ours or of a handler's.
    static func read(_ message: Span<UInt8>) -> (head: ResponseFields, end: Int)? {
        var scanner = HeadScanner()
        do throws(MessageError) {
            guard case .complete(let end) = try scanner.scan(message, limits: limits) else { return nil }
            let head = message.extracting(0..<end)
            guard let lineEnd = head.firstIndex(of: 0x0D, from: 0), lineEnd >= 12 else { return nil }
            var section = FieldSection()
            try section.parse(head, from: lineEnd + 2, to: end, limits: limits)
            var bytes: [UInt8] = []
            bytes.append(head)
            let fields = section.records.filter { record in
                switch record.kind {
                case .connection, .transferEncoding, .upgrade: false
                default: true
                }
            }
            return (ResponseFields(bytes: bytes, status: ByteRange(9, 12), fields: fields), end)
        } catch {
            return nil
        }
    }
}
