extension FunctionPayment {
    /// Whether a text is a payment pointer: `$host`, `$host/path` or the `https://` URL that it stands for.
    ///
    /// The host is a DNS name; no user, port, query, fragment or character beyond ASCII (RFC 26, Payment Pointers, and
    /// RFC 9, SPSP, of Interledger). Says nothing about who answers there: whoever asks a pointer refuses private
    /// addresses.
    public static func isPointer(_ text: String) -> Bool {
        guard text.utf8.count <= pointerBytesMaximum else { return false }
        guard let prefix = ["$", "https://"].first(where: text.hasPrefix) else { return false }
        let rest = text.dropFirst(prefix.count)
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let host = rest[..<slash]
        guard DNSName.isSubdomain(host.lowercased()), host.utf8.contains(where: { !isDigitOrDot($0) }) else {
            return false
        }
        return rest[slash...].utf8.allSatisfy(isPathByte)
    }

    private static let pointerBytesMaximum = 512

    private static func isDigitOrDot(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ".") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    /// What a path is made of without any meaning of its own (RFC 3986, unreserved), slashes and `%`.
    private static func isPathByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"), UInt8(ascii: "%"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
