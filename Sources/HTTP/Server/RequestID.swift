/// The id of one request: the caller's own, or 128 random bits.
struct RequestID {
    private let given: [UInt8]
    private let high: UInt64
    private let low: UInt64

    /// Takes the caller's id.
    init(given: [UInt8]) {
        self.given = given
        high = 0
        low = 0
    }

    /// Makes an id.
    ///
    /// It is unique, not secret.
    init(_ random: inout FastRandom) {
        given = []
        high = random.next()
        low = random.next()
    }

    /// Appends the id as text: 32 hexadecimal digits, or what the caller gave.
    func append(to output: inout [UInt8]) {
        guard given.isEmpty else {
            output.append(contentsOf: given)
            return
        }
        output.append(sixteenDigits: high)
        output.append(sixteenDigits: low)
    }

    /// Appends the id of the trace that begins with the request (W3C Trace Context): the id itself where it is ours, else another.
    func append(traceIDTo output: inout [UInt8], random: inout FastRandom) {
        guard !given.isEmpty else {
            append(to: &output)
            return
        }
        output.append(sixteenDigits: random.next())
        output.append(sixteenDigits: random.next())
    }

    /// The id as text.
    var text: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension [UInt8] {
    /// Appends 16 lower-case hexadecimal digits.
    mutating func append(sixteenDigits value: UInt64) {
        // Put together beside and appended at once: this happens several times for each proxied request.
        var digits: [16 of UInt8] = .init(repeating: 0)
        for index in 0..<16 {
            let digit = UInt8(truncatingIfNeeded: value >> UInt64(60 - 4 * index)) & 0xF
            digits[index] = digit < 10 ? 0x30 + digit : 0x57 + digit
        }
        append(digits.span)
    }
}
