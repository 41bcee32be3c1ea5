/// The character classes of RFC 9110 §5.5 and §5.6, as table look-ups: the parsers ask them for every byte.
enum HTTPCharacters {
    /// Whether `byte` may stand in a token: method and field names (RFC 9110 §5.6.2).
    @inline(__always)
    static func isToken(_ byte: UInt8) -> Bool {
        // One bit per ASCII character, 0…63 and 64…127, of "!#$%&'*+-.^_`|~", digits and letters.
        let bits: UInt64 = byte < 64 ? 0x03FF_6CFA_0000_0000 : 0x57FF_FFFF_C7FF_FFFE
        return byte < 128 && (bits >> UInt64(byte & 63)) & 1 == 1
    }

    /// Whether `byte` may stand in a field value: tab, space, visible ASCII and obs-text (RFC 9110 §5.5).
    @inline(__always)
    static func isFieldContent(_ byte: UInt8) -> Bool {
        (byte >= 0x20 && byte != 0x7F) || byte == 0x09
    }

    /// Whether `byte` is visible ASCII, what a request target consists of.
    @inline(__always)
    static func isVisible(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F
    }

    /// Returns `byte` in lower case when it is an ASCII letter.
    @inline(__always)
    static func lowercased(_ byte: UInt8) -> UInt8 {
        byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
    }

    /// Returns the value of a hexadecimal digit of either case, `nil` for any other byte.
    @inline(__always)
    static func hexadecimal(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }
}
