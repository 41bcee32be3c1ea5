/// The form of `Host`: a name, an IPv4 address or an IPv6 address in brackets, with an optional port.
///
/// RFC 3986 §3.2.2 allows more in a registered name (escapes, `!$&'()*+,;=`); names on the network use none of it, and
/// two readers of such a host could disagree.
enum HostSyntax {
    /// The longest name of the DNS, with brackets or a port added.
    static let bytesMaximum = 255 + 6

    /// Whether `range` is a host that is not empty, with an optional port of digits.
    static func isValid(_ range: ByteRange, in bytes: Span<UInt8>) -> Bool {
        guard range.count >= 1, range.count <= bytesMaximum else { return false }
        guard let hostEnd = nameEnd(range, in: bytes), hostEnd > range.start else { return false }
        guard hostEnd < range.end else { return true }
        guard bytes[hostEnd] == 0x3A, range.end - hostEnd <= 6 else { return false }
        for position in (hostEnd + 1)..<range.end where !(0x30...0x39).contains(bytes[position]) {
            return false
        }
        return true
    }

    /// The host without its port.
    static func name(of range: ByteRange, in bytes: Span<UInt8>) -> ByteRange {
        ByteRange(range.start, nameEnd(range, in: bytes) ?? range.end)
    }

    /// Returns where the name ends, or `nil` when it has a character that no host has.
    private static func nameEnd(_ range: ByteRange, in bytes: Span<UInt8>) -> Int? {
        var position = range.start
        if bytes[position] == 0x5B {
            position += 1
            while position < range.end, bytes[position] != 0x5D {
                let byte = bytes[position]
                guard HTTPCharacters.hexadecimal(byte) != nil || byte == 0x3A || byte == 0x2E else { return nil }
                position += 1
            }
            return position < range.end && position > range.start + 2 ? position + 1 : nil
        }
        while position < range.end, bytes[position] != 0x3A {
            switch bytes[position] {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: position += 1
            default: return nil
            }
        }
        return position
    }
}
