import Commands
import Cryptography

/// Who somebody is to an installation's REST API.
enum ServerCredentials: Sendable, Hashable {
    /// The administrator's name and password.
    case password(name: String, String)
    /// A token of the cluster, whose rights count.
    case token(String)

    /// A token of an OpenID provider can have some kilobytes; the server's head of a request has 64.
    static let bytesMaximum = 32 << 10

    /// Checks a name and a password.
    ///
    /// - Throws: `UsageError` for what the field Authorization cannot hold (RFC 7617 §2).
    init(name: String, password: String) throws(UsageError) {
        guard !name.isEmpty, !name.contains(":"), !name.utf8.contains(where: Self.isControl) else {
            throw UsageError("a name has no colon and no control characters")
        }
        guard (1...Self.bytesMaximum).contains(password.utf8.count), !password.utf8.contains(where: Self.isControl)
        else { throw UsageError("a password has 1 to \(Self.bytesMaximum) bytes and no control characters") }
        self = .password(name: name, password)
    }

    /// Checks a token.
    ///
    /// - Throws: `UsageError` for what the field Authorization cannot hold (RFC 6750 §2.1).
    init(token: String) throws(UsageError) {
        guard (1...Self.bytesMaximum).contains(token.utf8.count), token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { throw UsageError("a token has 1 to \(Self.bytesMaximum) visible ASCII characters") }
        self = .token(token)
    }

    /// The field Authorization.
    var field: String {
        switch self {
        case .password(let name, let password): "Basic " + Base64.encode(Array("\(name):\(password)".utf8))
        case .token(let token): "Bearer " + token
        }
    }

    /// Who it is, for people; never the secret itself.
    var title: String {
        switch self {
        case .password(let name, _): TerminalText.line(name)
        case .token: "the bearer of a token"
        }
    }

    private static func isControl(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x7F }
}
