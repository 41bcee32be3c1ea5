/// The name of a container image: registry, repository path, and a tag, a digest or both.
///
/// The grammar is that of the distribution project (`reference.go`): path components are lower-case alphanumerics joined
/// by one of `.`, `_`, `__` or dashes; a tag has at most 128 characters; registry and path together at most 255.
/// Short Docker Hub names are expanded: `debian` means `docker.io/library/debian`.
public struct ImageReference: Hashable, Sendable, CustomStringConvertible {
    /// The registry's host, with its port when it has one; `docker.io` when the text named none.
    public let registry: String
    /// The path below the registry, without a leading slash.
    public let repository: String
    /// The tag, when the text had one.
    public let tag: String?
    /// The digest as `sha256:<64 hex>`, when the text had one.
    public let digest: String?

    /// Registry and path together may not be longer: the limit of the distribution project.
    public static let nameCharactersMaximum = 255
    /// A tag may not be longer: the limit of the distribution project.
    public static let tagCharactersMaximum = 128

    /// Reads a reference, strictly.
    ///
    /// - Parameter text: For example `registry:5000/alice/shop-fn:latest-main-0a1b2c3` or `debian@sha256:…`.
    /// - Throws: ``ImageReferenceError`` naming the part that breaks the grammar.
    public init(parsing text: String) throws(ImageReferenceError) {
        var rest = Substring(text)
        var digest: String?
        if let at = rest.firstIndex(of: "@") {
            digest = String(rest[rest.index(after: at)...])
            rest = rest[..<at]
        }
        var tag: String?
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("/") {
            tag = String(rest[rest.index(after: colon)...])
            rest = rest[..<colon]
        }
        var registry = "docker.io"
        var repository = String(rest)
        if let slash = rest.firstIndex(of: "/") {
            let first = rest[..<slash]
            if first == "localhost" || first.contains(".") || first.contains(":") {
                registry = String(first)
                repository = String(rest[rest.index(after: slash)...])
            }
        }
        if registry == "docker.io", !repository.contains("/"), !repository.isEmpty {
            repository = "library/" + repository
        }
        try self.init(registry: registry, repository: repository, tag: tag, digest: digest)
    }

    /// Puts a reference together from its parts.
    ///
    /// - Throws: ``ImageReferenceError`` naming the part that breaks the grammar.
    public init(
        registry: String, repository: String, tag: String? = nil, digest: String? = nil
    ) throws(ImageReferenceError) {
        guard Self.isRegistry(registry) else { throw .registry(registry) }
        let components = repository.split(separator: "/", omittingEmptySubsequences: false)
        guard components.allSatisfy(Self.isPathComponent) else { throw .repository(repository) }
        guard registry.utf8.count + 1 + repository.utf8.count <= Self.nameCharactersMaximum else {
            throw .tooLong(registry + "/" + repository)
        }
        if let tag, !Self.isTag(tag) { throw .tag(tag) }
        if let digest, !Self.isDigest(digest) { throw .digest(digest) }
        self.registry = registry
        self.repository = repository
        self.tag = tag
        self.digest = digest
    }

    /// The name without tag and digest: `registry/path`.
    public var name: String { registry + "/" + repository }

    /// The whole reference, as it is written in a pod or on a command line.
    public var description: String {
        name + (tag.map { ":" + $0 } ?? "") + (digest.map { "@" + $0 } ?? "")
    }

    /// Returns the reference pinned to one content: the tag goes, the digest stays.
    ///
    /// - Parameter digest: `sha256:<64 hex>`, as a registry reports it.
    /// - Throws: ``ImageReferenceError/digest(_:)`` when it is not of that shape.
    public func pinned(to digest: String) throws(ImageReferenceError) -> ImageReference {
        try ImageReference(registry: registry, repository: repository, digest: digest)
    }

    /// Tells whether the text is a SHA-256 digest in the form registries use: `sha256:` and 64 lower-case hex digits.
    public static func isDigest(_ text: String) -> Bool {
        guard text.hasPrefix("sha256:") else { return false }
        let hex = text.utf8.dropFirst("sha256:".utf8.count)
        return hex.count == 64 && hex.allSatisfy { ASCII.isDigit($0) || (0x61...0x66).contains($0) }
    }

    static func isTag(_ text: String) -> Bool {
        guard let first = text.utf8.first, first != ASCII.dot, first != ASCII.dash else { return false }
        return text.utf8.count <= tagCharactersMaximum && text.utf8.allSatisfy(isTagByte)
    }

    static func isTagByte(_ byte: UInt8) -> Bool {
        ASCII.isLowerAlphanumeric(byte) || ASCII.isUpper(byte) || byte == ASCII.dot || byte == ASCII.dash
            || byte == ASCII.underscore
    }

    /// Alphanumerics joined by one separator: `.`, `_`, `__` or any number of dashes.
    static func isPathComponent(_ text: Substring) -> Bool {
        var separator: [UInt8] = []
        var isStart = true
        for byte in text.utf8 {
            if ASCII.isLowerAlphanumeric(byte) {
                guard isSeparator(separator), !(isStart && !separator.isEmpty) else { return false }
                separator = []
                isStart = false
            } else {
                separator.append(byte)
            }
        }
        return !isStart && separator.isEmpty
    }

    private static func isSeparator(_ bytes: [UInt8]) -> Bool {
        switch bytes {
        case [], [ASCII.dot], [ASCII.underscore], [ASCII.underscore, ASCII.underscore]: true
        default: bytes.allSatisfy { $0 == ASCII.dash }
        }
    }

    /// A DNS name or IPv4 address with an optional port, or a bracketed IPv6 address.
    static func isRegistry(_ text: String) -> Bool {
        var host = Substring(text)
        if host.hasPrefix("[") {
            guard let close = host.firstIndex(of: "]") else { return false }
            let address = host[host.index(after: host.startIndex)..<close]
            guard !address.isEmpty, address.utf8.allSatisfy({ ASCII.isHex($0) || $0 == ASCII.colon }) else {
                return false
            }
            let rest = host[host.index(after: close)...]
            return rest.isEmpty || (rest.first == ":" && isPort(rest.dropFirst()))
        }
        if let colon = host.firstIndex(of: ":") {
            guard isPort(host[host.index(after: colon)...]) else { return false }
            host = host[..<colon]
        }
        return host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            guard let first = label.utf8.first, let last = label.utf8.last else { return false }
            return first != ASCII.dash && last != ASCII.dash
                && label.utf8.allSatisfy {
                    ASCII.isLowerAlphanumeric($0) || ASCII.isUpper($0) || $0 == ASCII.dash
                }
        }
    }

    private static func isPort(_ text: Substring) -> Bool {
        (1...5).contains(text.utf8.count) && text.utf8.allSatisfy(ASCII.isDigit) && UInt16(text) != nil
    }
}

/// Which part of an image's name breaks the grammar; the text is carried along to show to the author.
public enum ImageReferenceError: Error, Equatable, CustomStringConvertible {
    case registry(String)
    case repository(String)
    case tag(String)
    case digest(String)
    case tooLong(String)

    /// One sentence that names the part and the rule.
    public var description: String {
        switch self {
        case .registry(let text): "'\(text)' is not a registry host"
        case .repository(let text):
            "'\(text)' is not an image path: use lower-case letters and digits, joined by '.', '_' or '-', between slashes"
        case .tag(let text):
            "'\(text)' is not an image tag: at most 128 letters, digits, '.', '_' or '-', not beginning with '.' or '-'"
        case .digest(let text): "'\(text)' is not a digest of the form sha256:<64 hex digits>"
        case .tooLong(let text): "the image name '\(text)' has more than 255 characters"
        }
    }
}
