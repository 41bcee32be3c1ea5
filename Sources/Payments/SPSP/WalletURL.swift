import HTTP

/// A URL of a wallet, in parts: no user name, no query, no fragment, and one meaning for everybody who reads it.
///
/// Hosts are names of the DNS. Names that some resolvers take for numeric addresses, such as `0x7f.1`, are none.
struct WalletURL: Hashable, Sendable {
    enum Scheme: String, Sendable { case http, https }

    let scheme: Scheme
    /// The host, with its port where one is allowed, as written.
    let authority: String
    /// Empty, or with a slash at its start.
    let path: String

    /// The whole URL, with at least a slash as its path.
    var text: String { "\(scheme.rawValue)://\(authority)\(path.isEmpty ? "/" : path)" }

    /// Reads a URL with its scheme.
    init(_ text: String, rules: PaymentPointer.Rules) throws(PaymentPointerError) {
        if text.hasPrefix("https://") {
            try self.init(scheme: .https, rest: text.dropFirst(8), rules: rules)
        } else if rules.allowsPlainHTTP, text.hasPrefix("http://") {
            try self.init(scheme: .http, rest: text.dropFirst(7), rules: rules)
        } else {
            throw PaymentPointerError("it begins with neither $ nor https://")
        }
    }

    /// Reads what follows the scheme.
    init(scheme: Scheme, rest: Substring, rules: PaymentPointer.Rules) throws(PaymentPointerError) {
        guard rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw PaymentPointerError("it has spaces or characters beyond ASCII")
        }
        let forbidden: [(Character, String)] = [("@", "a user name"), ("?", "a query"), ("#", "a fragment")]
        for (character, name) in forbidden {
            let part = character == "@" ? rest.prefix { $0 != "/" } : rest
            guard !part.contains(character) else { throw PaymentPointerError("it has \(name)") }
        }
        let authority = rest.prefix { $0 != "/" }
        try Self.check(authority: authority, rules: rules)
        let path = rest.dropFirst(authority.count)
        try Self.check(path: path)
        self.scheme = scheme
        self.authority = String(authority)
        self.path = String(path)
    }

    private static func check(authority: Substring, rules: PaymentPointer.Rules) throws(PaymentPointerError) {
        var host = authority
        if host.hasPrefix("[") {
            guard rules.allowsPorts, let end = host.firstIndex(of: "]") else {
                throw PaymentPointerError("its host is no name")
            }
            let address = String(host[host.index(after: host.startIndex)..<end])
            guard NetworkAddress(address) != nil, address.contains(":") else {
                throw PaymentPointerError("its host is no address")
            }
            try check(port: host[host.index(after: end)...])
            return
        }
        if let colon = host.firstIndex(of: ":") {
            guard rules.allowsPorts else { throw PaymentPointerError("it has a port") }
            try check(port: host[colon...])
            host = host[..<colon]
        }
        guard isName(host) || rules.allowsPorts && isNumeric(host) else {
            throw PaymentPointerError("its host is no name")
        }
    }

    /// Nothing, or a colon and a number.
    private static func check(port: Substring) throws(PaymentPointerError) {
        guard !port.isEmpty else { return }
        let digits = port.dropFirst()
        guard port.hasPrefix(":"), digits.utf8.allSatisfy(isDigit), let number = UInt16(digits), number > 0 else {
            throw PaymentPointerError("its port is no number from 1 to 65535")
        }
    }

    /// Whether a text is a name of the DNS (RFC 1123): labels of 63 characters at most, 253 together.
    ///
    /// The last label is no number, decimal or not, so that nobody reads the name as an address (URL Standard, 3.5).
    static func isName(_ host: Substring) -> Bool {
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        guard host.utf8.count <= 253, let last = labels.last, !isNumeric(last) else { return false }
        return labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.utf8.allSatisfy { isDigit($0) || isLetter($0) || $0 == UInt8(ascii: "-") }
        }
    }

    /// Whether the last label could be read as a number: digits, or `0x` and hexadecimal digits.
    private static func isNumeric(_ host: Substring) -> Bool {
        guard let last = host.split(separator: ".").last else { return false }
        if last.utf8.allSatisfy(isDigit) { return true }
        return last.lowercased().hasPrefix("0x")
            && last.dropFirst(2).utf8.allSatisfy { isDigit($0) || (0x61...0x66).contains($0 | 0x20) }
    }

    /// Checks a path: the characters of RFC 3986, 3.3, whole escapes, and no segment that means another one.
    private static func check(path: Substring) throws(PaymentPointerError) {
        let bytes = Array(path.utf8)
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%") {
                guard index + 2 < bytes.count, isHexadecimal(bytes[index + 1]), isHexadecimal(bytes[index + 2]) else {
                    throw PaymentPointerError("its path has a % without two hexadecimal digits")
                }
                index += 3
            } else {
                guard isPathCharacter(bytes[index]) else {
                    throw PaymentPointerError("its path has characters that must be escaped")
                }
                index += 1
            }
        }
        for segment in path.split(separator: "/") where segment == "." || segment == ".." {
            throw PaymentPointerError("its path has a segment \(segment)")
        }
    }

    private static func isPathCharacter(_ byte: UInt8) -> Bool {
        isDigit(byte) || isLetter(byte) || "-._~!$&'()*+,;=:@/".utf8.contains(byte)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }
    private static func isHexadecimal(_ byte: UInt8) -> Bool { isDigit(byte) || (0x61...0x66).contains(byte | 0x20) }
}
