/// Reads and prints IP addresses.
enum IPAddressParser {
    /// An address and its kind.
    typealias Address = (family: AddressRange.Family, value: UInt128)

    /// Longer texts are refused: the longest address is an IPv6 one that ends in dotted form, 45 bytes.
    private static let textBytesMaximum = 45

    /// Reads an IPv4 or IPv6 address.
    static func parse(_ text: Substring) -> Address? {
        guard text.utf8.count <= textBytesMaximum else { return nil }
        if text.contains(":") { return ipv6(text).map { (.ipv6, $0) } }
        return ipv4(text).map { (.ipv4, UInt128($0)) }
    }

    /// Reads a decimal number without sign and leading zeros.
    static func decimal(_ text: Substring, maximum: Int) -> Int? {
        guard (1...3).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            text.utf8.count == 1 || text.utf8.first != 0x30, let number = Int(text), number <= maximum
        else { return nil }
        return number
    }

    private static func ipv4(_ text: Substring) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard let number = decimal(part, maximum: 255) else { return nil }
            value = value << 8 | UInt32(number)
        }
        return value
    }

    private static func ipv6(_ text: Substring) -> UInt128? {
        guard let gap = text.firstRange(of: "::") else {
            guard let groups = groups(text), groups.count == 8 else { return nil }
            return joined(groups)
        }
        let tail = text[gap.upperBound...]
        guard !tail.contains("::"), !tail.hasPrefix(":"),
            let left = groups(text[..<gap.lowerBound], isEnd: false), let right = groups(tail),
            left.count + right.count <= 7
        else { return nil }
        return joined(left + Array(repeating: 0, count: 8 - left.count - right.count) + right)
    }

    /// The 16-bit groups of a part without `::`; the last one may be an IPv4 address, which makes two.
    private static func groups(_ text: Substring, isEnd: Bool = true) -> [UInt16]? {
        guard !text.isEmpty else { return [] }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        var groups: [UInt16] = []
        for (index, part) in parts.enumerated() {
            if isEnd, index == parts.count - 1, part.contains(".") {
                guard let value = ipv4(part) else { return nil }
                groups += [UInt16(value >> 16), UInt16(value & 0xFFFF)]
            } else {
                guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy(isHexDigit),
                    let group = UInt16(part, radix: 16)
                else { return nil }
                groups.append(group)
            }
        }
        return groups.count <= 8 ? groups : nil
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }

    private static func joined(_ groups: [UInt16]) -> UInt128 {
        groups.reduce(0) { $0 << 16 | UInt128($1) }
    }

    /// The canonical text of an address.
    static func text(_ value: UInt128, family: AddressRange.Family) -> String {
        switch family {
        case .ipv4:
            return [24, 16, 8, 0].map { String(UInt8(truncatingIfNeeded: value >> UInt128($0))) }.joined(separator: ".")
        case .ipv6:
            let groups = (0..<8).map { UInt16(truncatingIfNeeded: value >> UInt128(112 - 16 * $0)) }
            guard let zeros = longestZeroRun(groups) else { return hexadecimal(groups[...]) }
            return hexadecimal(groups[..<zeros.lowerBound]) + "::" + hexadecimal(groups[zeros.upperBound...])
        }
    }

    private static func hexadecimal(_ groups: ArraySlice<UInt16>) -> String {
        groups.map { String($0, radix: 16) }.joined(separator: ":")
    }

    /// The first longest run of at least two zero groups: what `::` stands for (RFC 5952 §4.2).
    private static func longestZeroRun(_ groups: [UInt16]) -> Range<Int>? {
        var best: Range<Int>?
        var start = 0
        while start < groups.count {
            var end = start
            while end < groups.count, groups[end] == 0 { end += 1 }
            if end - start >= 2, end - start > (best?.count ?? 0) { best = start..<end }
            start = end + 1
        }
        return best
    }
}
