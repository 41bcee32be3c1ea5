/// Base64 as the receipt verifier has always read it.
///
/// Both alphabets count, padding may be missing, and whatever is neither letter nor digit of Base64 is passed over; so
/// does Node's `Buffer.from(text, 'base64')`, which the clients were written against. A receipt proves itself by its HMAC,
/// so several spellings of the same bytes do no harm: they are told apart by what they say, never by how.
enum LenientBase64 {
    /// Reads bytes of text, and never fails.
    static func decode(_ text: some Sequence<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var bitCount: UInt32 = 0
        for character in text {
            guard let value = value(of: character) else { continue }
            bits = (bits << 6 | UInt32(value)) & 0xFFF  // At most 6 old bits matter.
            bitCount += 6
            guard bitCount >= 8 else { continue }
            bitCount -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> bitCount))
        }
        return bytes
    }

    private static func value(of character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
