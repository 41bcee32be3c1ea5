/// Where money can be sent: a payment pointer, resolved (Interledger RFC 26).
///
/// `$host/path` stands for `https://host/path`, and `$host` for `https://host/.well-known/pay`; an `https://` URL stands for
/// itself (RFC 9, SPSP). The specification leaves no room for user names, ports, queries, fragments or characters beyond
/// ASCII, and neither does this. Nothing here says who answers there: that is for ``WalletClient`` to find out and refuse.
public struct PaymentPointer: Hashable, Sendable {
    /// The pointer as it was written.
    public let text: String
    /// The URL to ask.
    public let url: String
    /// The host in lower case, with its port where one is allowed: for limits and logs.
    let authority: String

    /// What a pointer may say beyond the specification.
    public struct Rules: Hashable, Sendable {
        /// Ports, and hosts that are numeric addresses.
        public var allowsPorts: Bool
        /// `http://` URLs.
        public var allowsPlainHTTP: Bool

        /// Makes rules; by default those of the specification.
        public init(allowsPorts: Bool = false, allowsPlainHTTP: Bool = false) {
            self.allowsPorts = allowsPorts
            self.allowsPlainHTTP = allowsPlainHTTP
        }

        /// The specification's.
        public static let strict = Rules()
    }

    /// Longer pointers are refused; the schema of Functions has the same limit.
    static let bytesMaximum = 512
    private static let wellKnownPath = "/.well-known/pay"

    /// Reads and resolves a pointer.
    ///
    /// - Parameters:
    ///   - text: The pointer or URL.
    ///   - rules: The specification's by default.
    /// - Throws: What is wrong with it.
    public init(_ text: String, rules: Rules = .strict) throws(PaymentPointerError) {
        guard text.utf8.count <= Self.bytesMaximum else { throw PaymentPointerError("it is longer than 512 bytes") }
        self.text = text
        if text.hasPrefix("$") {
            let url = try WalletURL(scheme: .https, rest: text.dropFirst(), rules: rules)
            let isBare = url.path.isEmpty || url.path == "/"
            self.url = "https://" + url.authority + (isBare ? Self.wellKnownPath : url.path)
            authority = url.authority.lowercased()
        } else {
            let url = try WalletURL(text, rules: rules)
            self.url = url.text
            authority = url.authority.lowercased()
        }
    }
}

/// What is wrong with a payment pointer, in words for whoever wrote it.
public struct PaymentPointerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One clause, such as `it has a port`.
    public let description: String

    init(_ description: String) { self.description = description }
}
