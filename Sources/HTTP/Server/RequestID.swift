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
        Self.append(high, to: &output)
        Self.append(low, to: &output)
    }

    /// The id as text.
    var text: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func append(_ value: UInt64, to output: inout [UInt8]) {
        for shift in stride(from: UInt64(60), through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: value >> shift) & 0xF
            output.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
        }
    }
}
