extension FunctionPayment {
    /// Whether a text is a payment pointer: `$host`, `$host/path` or the `https://` URL that it stands for.
    ///
    /// The host is a DNS name that nobody takes for a numeric address; no user, query, fragment or character beyond ASCII
    /// (RFC 26, Payment Pointers, and RFC 9, SPSP, of Interledger). What this takes, payments take too. It says nothing about
    /// who answers there: whoever asks a pointer refuses private addresses.
    ///
    /// - Parameters:
    ///   - text: The pointer.
    ///   - allowsPorts: Whether ports and numeric hosts are taken, as the configuration of a trial cluster may say.
    public static func isPointer(_ text: String, allowsPorts: Bool = false) -> Bool {
        guard text.utf8.count <= pointerBytesMaximum, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            return false
        }
        guard let prefix = ["$", "https://"].first(where: text.hasPrefix) else { return false }
        let rest = text.dropFirst(prefix.count)
        let authority = rest.prefix { $0 != "/" }
        return isAuthority(authority, allowsPorts: allowsPorts) && isPath(rest.dropFirst(authority.count))
    }

    private static let pointerBytesMaximum = 512

    private static func isAuthority(_ authority: Substring, allowsPorts: Bool) -> Bool {
        var host = authority
        if allowsPorts, let colon = authority.lastIndex(of: ":") {
            let digits = authority[authority.index(after: colon)...]
            guard digits.utf8.allSatisfy(isDigit), let port = UInt16(digits), port > 0 else { return false }
            host = authority[..<colon]
        }
        guard DNSName.isSubdomain(host.lowercased()), let last = host.split(separator: ".").last else { return false }
        return allowsPorts || !isNumber(last)
    }

    /// Whether the last label of a host could be read as a number, decimal or hexadecimal (URL Standard, 3.5).
    private static func isNumber(_ label: Substring) -> Bool {
        if label.utf8.allSatisfy(isDigit) { return true }
        return label.lowercased().hasPrefix("0x") && label.dropFirst(2).utf8.allSatisfy(isHexadecimal)
    }

    /// Nothing, or segments of RFC 3986 that mean themselves: whole escapes, and neither `.` nor `..`.
    private static func isPath(_ path: Substring) -> Bool {
        var bytes = path.utf8[...]
        while let byte = bytes.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard bytes.popFirst().map(isHexadecimal) == true, bytes.popFirst().map(isHexadecimal) == true else {
                    return false
                }
            } else if !isPathByte(byte) {
                return false
            }
        }
        return !path.split(separator: "/").contains { $0 == "." || $0 == ".." }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
    }

    /// What a path is made of without any meaning of its own (RFC 3986, unreserved), and slashes.
    private static func isPathByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
