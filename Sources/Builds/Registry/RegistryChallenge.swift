/// What a registry asks for in `WWW-Authenticate` (RFC 9110 §11.6.1; the distribution project's token specification).
enum RegistryChallenge: Equatable {
    /// User and password with each request.
    case basic
    /// A token from another address first.
    case bearer(realm: String, service: String?, scope: String?)

    /// A field value may not be longer.
    static let charactersMaximum = 4096

    /// Reads one field value; nil when it asks for anything else.
    init?(_ text: String) {
        guard text.utf8.count <= Self.charactersMaximum else { return nil }
        let scheme = text.prefix { $0 != " " }
        switch scheme.lowercased() {
        case "basic": self = .basic
        case "bearer":
            let parameters = Self.parameters(text.dropFirst(scheme.count))
            guard let realm = parameters["realm"], realm.hasPrefix("https://") || realm.hasPrefix("http://") else {
                return nil
            }
            self = .bearer(realm: realm, service: parameters["service"], scope: parameters["scope"])
        default: return nil
        }
    }

    /// `name=token` and `name="quoted \" text"`, separated by commas.
    private static func parameters(_ text: Substring) -> [String: String] {
        var result: [String: String] = [:]
        var rest = text
        func skip() {
            while let first = rest.first, first == " " || first == "," || first == "\t" { rest.removeFirst() }
        }
        skip()
        while let equals = rest.firstIndex(of: "=") {
            let name = rest[..<equals].lowercased()
            rest = rest[rest.index(after: equals)...]
            var value = ""
            if rest.first == "\"" {
                rest.removeFirst()
                while let character = rest.popFirst(), character != "\"" {
                    if character == "\\", let escaped = rest.popFirst() {
                        value.append(escaped)
                    } else {
                        value.append(character)
                    }
                }
            } else {
                value = String(rest.prefix { $0 != "," && $0 != " " })
                rest = rest.dropFirst(value.count)
            }
            if result[name] == nil { result[name] = value }
            skip()
        }
        return result
    }

    /// The address to fetch the token from, for pulling one repository.
    static func tokenURL(realm: String, service: String?, scope: String) -> String {
        var query = "scope=" + percentEncoded(scope)
        if let service { query = "service=" + percentEncoded(service) + "&" + query }
        return realm + (realm.contains("?") ? "&" : "?") + query
    }

    /// The form that changes an identity token for a token of this one kind of access (RFC 6749 §6; the distribution project's
    /// "Registry v2 authentication using OAuth2").
    static func refreshForm(token: String, service: String?, scope: String) -> [UInt8] {
        var fields = [("grant_type", "refresh_token"), ("client_id", "farebox"), ("refresh_token", token)]
        if let service { fields.append(("service", service)) }
        fields.append(("scope", scope))
        return Array(fields.map { "\($0.0)=\(percentEncoded($0.1))" }.joined(separator: "&").utf8)
    }

    private static func percentEncoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        for byte in text.utf8 {
            if ASCII.isAlphanumeric(byte) || "-._~:/,".utf8.contains(byte) {
                result.append(byte)
            } else {
                result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
