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
        // Put together beside and appended at once: this happens twice for each proxied request.
        var digits: [32 of UInt8] = .init(repeating: 0)
        for index in 0..<16 {
            let shift = UInt64(60 - 4 * index)
            digits[index] = Self.digit(high >> shift)
            digits[16 + index] = Self.digit(low >> shift)
        }
        output.append(digits.span)
    }

    /// The id as text.
    var text: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The hexadecimal digit of the lowest four bits.
    private static func digit(_ value: UInt64) -> UInt8 {
        let digit = UInt8(truncatingIfNeeded: value) & 0xF
        return digit < 10 ? 0x30 + digit : 0x57 + digit
    }
}
