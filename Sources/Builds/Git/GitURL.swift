import CRDs

/// The address of a Git repository that a tenant named: https, http or ssh, a host, a path, and nothing that hides.
public struct GitURL: Hashable, Sendable, CustomStringConvertible {
    /// `https`, `http` or `ssh`.
    public let scheme: String
    /// Whom to log in as, over SSH only.
    public let user: String?
    /// The host in lower case, without port; an IPv6 address keeps its brackets.
    public let host: String
    /// The port, when it is not the scheme's own.
    public let port: UInt16?
    /// The path with its leading slash and without trailing ones.
    public let path: String
    /// Whether the address was written as `user@host:path`: the path then begins in the user's home.
    private let isSecureCopyForm: Bool

    /// An address may not be longer.
    public static let charactersMaximum = 2048

    /// Reads the address.
    ///
    /// - Parameters:
    ///   - text: For example `https://git.example.com/alice/shop.git`, `ssh://git@git.example.com:2222/alice/shop.git` or
    ///     `git@git.example.com:alice/shop.git`.
    ///   - allowsPlainHTTP: Whether `http://` is accepted as well.
    /// - Throws: ``BuildFailure`` with ``CRDs/RepositoryReason/invalid``; the text of a refused user-info is not repeated.
    public init(_ text: String, allowsPlainHTTP: Bool) throws(BuildFailure) {
        guard text.utf8.count <= Self.charactersMaximum, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Self.refusal("it may hold only printable ASCII, at most \(Self.charactersMaximum) characters")
        }
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else {
            self = try Self.secureCopyForm(text)
            return
        }
        scheme = text[..<colon].lowercased()
        isSecureCopyForm = false
        guard ["https", "http", "ssh"].contains(scheme) else {
            throw Self.refusal("the scheme '\(scheme.prefix(16))' is not supported; use https:// or ssh://")
        }
        guard scheme != "http" || allowsPlainHTTP else {
            throw Self.refusal("plain http is switched off here; use https://")
        }
        let rest = text[colon...].dropFirst(3)
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        var authority = rest[..<slash]
        user = scheme == "ssh" ? try Self.takeUser(from: &authority) : nil
        guard !authority.contains("@") else {
            throw Self.refusal("it may not hold a user or password; name a Secret in spec.credentialsSecret")
        }
        guard !rest.contains(where: { "?#\\".contains($0) }) else {
            throw Self.refusal("it may not hold a query, a fragment or a backslash")
        }
        let (host, port) = try Self.split(authority)
        self.host = host
        self.port = port == Self.defaultPort(of: scheme) ? nil : port
        path = try Self.checkedPath(rest[slash...])
    }

    private init(user: String, host: String, path: String) {
        scheme = "ssh"
        self.user = user
        self.host = host
        port = nil
        self.path = path
        isSecureCopyForm = true
    }

    /// `user@host:path`, as `scp` and Git write it.
    private static func secureCopyForm(_ text: String) throws(BuildFailure) -> GitURL {
        let usual = refusal("use https://host/owner/repository or git@host:owner/repository")
        guard text.contains("@") else { throw usual }
        var rest = text[...]
        guard let user = try takeUser(from: &rest), let colon = rest.firstIndex(of: ":") else { throw usual }
        let host = rest[..<colon]
        let path = rest[rest.index(after: colon)...]
        guard !host.isEmpty, ImageReference.isRegistry(String(host)), !path.contains(where: { "?#\\@:".contains($0) })
        else { throw usual }
        return GitURL(
            user: user, host: host.lowercased(), path: try checkedPath(path.hasPrefix("/") ? path : "/" + path))
    }

    /// Takes the user off the front of `user@host`; nil when there is none.
    private static func takeUser(from authority: inout Substring) throws(BuildFailure) -> String? {
        guard let at = authority.firstIndex(of: "@") else { return nil }
        let user = authority[..<at]
        guard let first = user.utf8.first, first != ASCII.dash,
            user.utf8.allSatisfy({ ASCII.isAlphanumeric($0) || "-_.".utf8.contains($0) })
        else {
            throw refusal("its user may hold only letters, digits, '-', '_' and '.', and no password")
        }
        authority = authority[authority.index(after: at)...]
        return String(user)
    }

    private static func checkedPath(_ text: Substring) throws(BuildFailure) -> String {
        var path = text
        while path.last == "/" { path.removeLast() }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        guard !parts.isEmpty, parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." && !$0.hasPrefix("-") })
        else { throw refusal("it needs a path such as /owner/repository") }
        return String(path)
    }

    private static func defaultPort(of scheme: String) -> UInt16 {
        switch scheme {
        case "https": 443
        case "ssh": 22
        default: 80
        }
    }

    /// The address as Git gets it.
    public var description: String {
        if isSecureCopyForm, let user { return "\(user)@\(host):\(path.dropFirst())" }
        return scheme + "://" + (user.map { $0 + "@" } ?? "") + authority + path
    }

    /// Scheme, host and port.
    public var origin: String { scheme + "://" + authority }

    /// The host without the brackets of an IPv6 address.
    public var bareHost: String { host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host }

    private var authority: String { host + (port.map { ":\($0)" } ?? "") }

    /// The port that is really connected to.
    public var effectivePort: UInt16 { port ?? Self.defaultPort(of: scheme) }

    /// The last part of the path without `.git`: the repository's short name.
    public var repository: String {
        let last = path.split(separator: "/").last ?? ""
        return String(last.hasSuffix(".git") ? last.dropLast(4) : last)
    }

    /// The part of the path before the last: the owner on hosts that have owners; nil when there is none.
    public var owner: String? {
        path.split(separator: "/").dropLast().last.map(String.init)
    }

    /// The first part of the path, when there is more than one: the user or top-level group on hosts with nested groups.
    public var topLevelOwner: String? {
        owner == nil ? nil : path.split(separator: "/").first.map(String.init)
    }

    private static func split(_ authority: Substring) throws(BuildFailure) -> (String, UInt16?) {
        var host = authority
        var port: UInt16?
        let end = authority.firstIndex(of: "]").map { authority.index(after: $0) } ?? authority.startIndex
        if let colon = authority[end...].firstIndex(of: ":") {
            guard let number = UInt16(authority[authority.index(after: colon)...]), number > 0 else {
                throw refusal("its port is not a number from 1 to 65535")
            }
            port = number
            host = authority[..<colon]
        }
        guard !host.isEmpty, ImageReference.isRegistry(String(host)) else { throw refusal("its host is no host name") }
        return (host.lowercased(), port)
    }

    private static func refusal(_ why: String) -> BuildFailure {
        BuildFailure(.invalid, "spec.url is refused: \(why)")
    }
}
