/// Bytes as Base64 (RFC 4648).
public enum Base64 {
    /// Which of the two alphabets, and whether the end is padded.
    public enum Variant: Sendable {
        /// §4: `+` and `/`, padded with `=`; as Kubernetes Secrets and HTTP Basic authentication have it.
        case standard
        /// §5: `-` and `_`, without padding; as JSON Web Tokens have it.
        case url
    }

    /// Writes bytes.
    ///
    /// - Parameters:
    ///   - bytes: The bytes.
    ///   - variant: The alphabet; the standard one by default.
    /// - Returns: The text.
    public static func encode(_ bytes: [UInt8], _ variant: Variant = .standard) -> String {
        let alphabet = variant == .standard ? standardAlphabet : urlAlphabet
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var index = 0
        while index < bytes.count {
            let group = bytes[index..<min(index + 3, bytes.count)]
            var bits: UInt32 = 0
            for byte in group { bits = bits << 8 | UInt32(byte) }
            bits <<= 8 * UInt32(3 - group.count)
            for position in 0...group.count {
                text.append(alphabet[Int(bits >> UInt32(18 - 6 * position)) & 0x3F])
            }
            if variant == .standard {
                text.append(contentsOf: repeatElement(UInt8(ascii: "="), count: 3 - group.count))
            }
            index += 3
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads a text strictly, so that each byte string has exactly one spelling.
    ///
    /// Refused are: white space, characters of the other alphabet, missing or surplus padding, and bits that are set
    /// beyond the last byte (RFC 4648 §3.5).
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - variant: The alphabet; the standard one by default.
    /// - Returns: The bytes; nil when the text is something else.
    public static func decode(_ text: String, _ variant: Variant = .standard) -> [UInt8]? {
        var units = text.utf8[...]
        if variant == .standard {
            guard units.count % 4 == 0 else { return nil }
            for _ in 0..<2 where units.last == UInt8(ascii: "=") { units = units.dropLast() }
        }
        let rest = units.count % 4
        guard rest != 1, variant == .url || (text.utf8.count - units.count) == (4 - rest) % 4 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(units.count / 4 * 3 + 2)
        var bits: UInt32 = 0
        var bitCount = 0
        for unit in units {
            guard let value = value(unit, variant) else { return nil }
            bits = (bits << 6 | UInt32(value)) & 0xFFF  // At most 6 old bits matter.
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
            }
        }
        guard bits & (1 << UInt32(bitCount) - 1) == 0 else { return nil }
        return bytes
    }

    private static let standardAlphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let urlAlphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    private static func value(_ unit: UInt8, _ variant: Variant) -> UInt8? {
        switch unit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): unit - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): unit - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): unit - UInt8(ascii: "0") + 52
        case variant == .standard ? UInt8(ascii: "+") : UInt8(ascii: "-"): 62
        case variant == .standard ? UInt8(ascii: "/") : UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
