import Cryptography
import HTTP

/// What the field `Authorization` says.
enum AuthorizationField: Equatable, Sendable {
    /// A name and a password (RFC 7617).
    case basic(user: [UInt8], password: [UInt8])
    /// A token (RFC 6750).
    case bearer(String)
    /// Nothing, or nothing that can be read; also a field that is there twice.
    case none

    init(_ headers: HTTPHeaders) {
        let fields = headers.values(for: "Authorization")
        guard fields.count == 1, let space = fields[0].firstIndex(of: " ") else {
            self = .none
            return
        }
        let value = String(fields[0][fields[0].index(after: space)...].drop { $0 == " " })
        switch fields[0][..<space].lowercased() {
        case "basic":
            guard let bytes = Base64.decode(value), let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else {
                self = .none
                return
            }
            self = .basic(user: Array(bytes[..<colon]), password: Array(bytes[(colon + 1)...]))
        // A client without credentials sends an empty one.
        case "bearer": self = value.isEmpty ? .none : .bearer(value)
        default: self = .none
        }
    }
}
