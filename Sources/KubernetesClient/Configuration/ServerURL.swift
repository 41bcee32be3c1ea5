/// The URL of an API server.
struct ServerURL {
    /// Returns `text` with a scheme, without query, fragment and slashes at its end.
    ///
    /// - Parameters:
    ///   - text: What the configuration says.
    ///   - owner: Whose server it is, for the error.
    ///   - isSecureByDefault: Whether `https` is meant when no scheme is given.
    static func normalized(
        _ text: String, _ owner: String, isSecureByDefault: Bool
    ) throws(ConfigurationError) -> String {
        guard !text.isEmpty else { throw .invalid("\(owner) has no server") }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .invalid("\(owner): the server's URL holds blanks or special characters")
        }
        var url = Substring(text)
        if !url.contains("://") { url = (isSecureByDefault ? "https://" : "http://") + url }
        if let end = url.firstIndex(where: { $0 == "?" || $0 == "#" }) { url = url[..<end] }
        while url.hasSuffix("/") { url = url.dropLast() }
        guard let parts = ServerURL(String(url)) else {
            throw .invalid("\(owner): '\(url)' is not an http or https URL without user name")
        }
        return "\(parts.scheme)://\(parts.authority)\(parts.path)"
    }

    /// `http` or `https`.
    let scheme: String
    /// Host and port as they are written.
    let authority: String
    /// The path prefix, empty or beginning with a slash.
    let path: String

    /// Takes a URL apart; `nil` for any but an `http` or `https` one with a host and without user name.
    init?(_ url: String) {
        guard let separator = url.firstRange(of: "://") else { return nil }
        scheme = url[..<separator.lowerBound].lowercased()
        let rest = url[separator.upperBound...]
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        authority = String(rest[..<slash])
        path = String(rest[slash...])
        guard scheme == "http" || scheme == "https", !host.isEmpty, !authority.contains("@") else { return nil }
    }

    /// The host without port and brackets.
    var host: String {
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            return String(authority[authority.index(after: authority.startIndex)..<end])
        }
        return String(authority.prefix { $0 != ":" })
    }

    /// The port with its colon, empty for the scheme's own.
    var portSuffix: String {
        guard let colon = authority.lastIndex(of: ":") else { return "" }
        if let bracket = authority.lastIndex(of: "]"), bracket > colon { return "" }
        return String(authority[colon...])
    }

    /// Whether the host is this machine.
    var isLoopback: Bool {
        host == "localhost" || host == "::1" || host.hasPrefix("127.")
    }
}
