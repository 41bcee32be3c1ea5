import CRDs

/// The address of a Git repository that a tenant named: http or https, a host, a path, and nothing that hides.
public struct GitURL: Hashable, Sendable, CustomStringConvertible {
    /// `https` or `http`.
    public let scheme: String
    /// The host in lower case, without port; an IPv6 address keeps its brackets.
    public let host: String
    /// The port, when it is not the scheme's own.
    public let port: UInt16?
    /// The path with its leading slash and without trailing ones.
    public let path: String

    /// An address may not be longer.
    public static let charactersMaximum = 2048

    /// Reads the address.
    ///
    /// - Parameters:
    ///   - text: For example `https://git.example.com/alice/shop.git`.
    ///   - allowsPlainHTTP: Whether `http://` is accepted as well.
    /// - Throws: ``BuildFailure`` with ``CRDs/RepositoryReason/invalid``; the text of a refused user-info is not repeated.
    public init(_ text: String, allowsPlainHTTP: Bool) throws(BuildFailure) {
        guard text.utf8.count <= Self.charactersMaximum, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Self.refusal("it may hold only printable ASCII, at most \(Self.charactersMaximum) characters")
        }
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else {
            throw Self.refusal("use https://host/owner/repository")
        }
        scheme = text[..<colon].lowercased()
        guard scheme == "https" || scheme == "http" else {
            throw Self.refusal("the scheme '\(scheme.prefix(16))' is not supported; use https://")
        }
        guard scheme == "https" || allowsPlainHTTP else {
            throw Self.refusal("plain http is switched off here; use https://")
        }
        let rest = text[colon...].dropFirst(3)
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let authority = rest[..<slash]
        guard !authority.contains("@") else {
            throw Self.refusal("it may not hold a user or password; name a Secret in spec.credentialsSecret")
        }
        guard !rest.contains(where: { "?#\\".contains($0) }) else {
            throw Self.refusal("it may not hold a query, a fragment or a backslash")
        }
        let (host, port) = try Self.split(authority)
        self.host = host
        self.port = port == (scheme == "https" ? 443 : 80) ? nil : port
        var path = rest[slash...]
        while path.last == "/" { path.removeLast() }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        guard !parts.isEmpty, parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else {
            throw Self.refusal("it needs a path such as /owner/repository")
        }
        self.path = String(path)
    }

    /// The address as Git gets it.
    public var description: String { origin + path }

    /// Scheme, host and port.
    public var origin: String { scheme + "://" + host + (port.map { ":\($0)" } ?? "") }

    /// The port that is really connected to.
    public var effectivePort: UInt16 { port ?? (scheme == "https" ? 443 : 80) }

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
