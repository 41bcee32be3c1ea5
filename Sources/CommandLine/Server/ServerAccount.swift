import Commands
import JSON

/// What is kept of a login: who somebody is, and what else their commands need for this server.
struct ServerAccount: Sendable, Hashable {
    var credentials: ServerCredentials
    /// The certificate authorities to trust instead of the system's, in PEM.
    var authorities: String?
    /// The URL of the builder that goes with the server.
    var builder: String?
    /// The absolute path of the file that its requests are signed with: the file, so that a new secret counts.
    var payloadSecret: String?
    /// Where images go.
    var registry: String?

    init(_ credentials: ServerCredentials) { self.credentials = credentials }

    /// Reads an entry of the file; nil for one without credentials.
    ///
    /// - Throws: `UsageError` for credentials that cannot be used.
    init?(_ value: JSONValue) throws(UsageError) {
        if let token = value["token"]?.stringValue {
            credentials = try ServerCredentials(token: token)
        } else if let name = value["name"]?.stringValue, let password = value["password"]?.stringValue {
            credentials = try ServerCredentials(name: name, password: password)
        } else {
            return nil
        }
        authorities = value["authorities"]?.stringValue
        builder = value["builder"]?.stringValue
        payloadSecret = value["payloadSecret"]?.stringValue
        registry = value["registry"]?.stringValue
    }

    /// The entry of the file.
    var json: JSONValue {
        var members = JSONObject()
        switch credentials {
        case .token(let token): members["token"] = .string(token)
        case .password(let name, let password):
            members["name"] = .string(name)
            members["password"] = .string(password)
        }
        if let authorities { members["authorities"] = .string(authorities) }
        if let builder { members["builder"] = .string(builder) }
        if let payloadSecret { members["payloadSecret"] = .string(payloadSecret) }
        if let registry { members["registry"] = .string(registry) }
        return .object(members)
    }
}
