/// Whose money it is: the account of one Function object, named `<namespace>/<function>`.
///
/// Both parts are names of Kubernetes objects, so the slash keeps them apart; text joined with a hyphen would not.
public struct PaymentAccount: Hashable, Sendable {
    /// `<namespace>/<function>`.
    public let name: String

    /// Makes the account of a Function; nil when a part is no name of a Kubernetes object.
    ///
    /// - Parameters:
    ///   - namespace: 1 to 63 lower-case letters, digits and hyphens.
    ///   - function: 1 to 253 lower-case letters, digits, hyphens and dots.
    public init?(namespace: String, function: String) {
        guard Self.isName(namespace, bytesMaximum: 63, allowsDots: false),
            Self.isName(function, bytesMaximum: 253, allowsDots: true)
        else { return nil }
        name = namespace + "/" + function
    }

    /// Reads a name; nil when it is not `<namespace>/<function>`.
    ///
    /// - Parameter name: The whole name.
    public init?(name: String) {
        let parts = name.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        self.init(namespace: String(parts[0]), function: String(parts[1]))
    }

    /// The function that an account of the ledger belongs to; nil for accounts that are no function's.
    init?(ledgerName: String) {
        guard ledgerName.hasPrefix(Self.ledgerPrefix) else { return nil }
        self.init(name: String(ledgerName.dropFirst(Self.ledgerPrefix.count)))
    }

    private static let ledgerPrefix = "function:"

    private static func isName(_ text: String, bytesMaximum: Int, allowsDots: Bool) -> Bool {
        let isLetterOrDigit = { (byte: UInt8) in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        guard text.utf8.count <= bytesMaximum, let first = text.utf8.first, let last = text.utf8.last,
            isLetterOrDigit(first), isLetterOrDigit(last)
        else { return false }
        return text.utf8.allSatisfy { byte in
            isLetterOrDigit(byte) || byte == UInt8(ascii: "-") || (allowsDots && byte == UInt8(ascii: "."))
        }
    }
}

extension PaymentAccount: CustomStringConvertible, Codable {
    /// The name.
    public var description: String { name }

    /// Reads a string.
    ///
    /// - Parameter decoder: Where the string is.
    /// - Throws: `DecodingError.dataCorrupted` when it is not `<namespace>/<function>`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let account = PaymentAccount(name: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "an account is named <namespace>/<function>")
        }
        self = account
    }

    /// Writes a string.
    ///
    /// - Parameter encoder: Where to write.
    /// - Throws: What the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
    }
}
