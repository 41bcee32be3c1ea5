public import HTTP

/// Everything a client has to know about one API server: where it is, how to know it, and who we are.
///
/// It holds where secrets come from and some secrets themselves; none of them is shown when it is printed.
public struct ClientConfiguration: Sendable {
    /// The server's URL without a slash at its end; it may carry a path prefix.
    public var server: String
    /// The namespace of the context, or the pod's own.
    public var namespace: String
    /// The certificate authorities to trust; `nil` trusts the system's.
    public var authorities: PEMSource?
    /// The name to expect in the server's certificate, and to send as SNI, instead of the URL's host.
    public var tlsServerName: String?
    /// Whether the server's certificate is not looked at; only for trials.
    public var skipsVerification: Bool
    /// The proxy to go through.
    public var proxy: HTTPProxy
    /// Whether compressed answers are not asked for.
    public var disablesCompression: Bool
    /// Our certificate and its key.
    public var certificate: ClientCertificate?
    /// What proves who we are, apart from a certificate.
    public var credential: Credential
    /// As whom to act.
    public var impersonation: Impersonation?
    /// What a credential plugin is told when it asks for the cluster.
    var execExtension: ExecClusterExtension?
    /// The `User-Agent` of requests.
    public var userAgent: String
    /// The limit for one unary request, and for the head of a stream.
    ///
    /// The server itself gives up after 60 s.
    public var requestTimeout: Duration

    /// Makes a configuration.
    ///
    /// - Parameters:
    ///   - server: An `http` or `https` URL.
    ///   - namespace: The namespace to work in by default.
    public init(server: String, namespace: String = "default") {
        self.server = server
        self.namespace = namespace
        skipsVerification = false
        proxy = .fromEnvironment
        disablesCompression = false
        credential = .none
        userAgent = Self.defaultUserAgent
        requestTimeout = .seconds(60)
    }

    /// Returns the same configuration for a client of its own purpose, which the `User-Agent` names.
    ///
    /// - Parameters:
    ///   - purpose: One word, such as `leader-election`; it follows the `User-Agent` after a slash.
    ///   - requestTimeout: The limit for one request.
    public func dedicated(to purpose: String, requestTimeout: Duration) -> ClientConfiguration {
        var configuration = self
        configuration.userAgent += "/" + purpose
        configuration.requestTimeout = requestTimeout
        return configuration
    }

    /// Whether the connection is encrypted; without it, no credential is ever sent.
    public var usesTLS: Bool { server.hasPrefix("https://") }

    #if arch(x86_64)
        private static let architecture = "amd64"
    #elseif arch(arm64)
        private static let architecture = "arm64"
    #else
        private static let architecture = "unknown"
    #endif

    /// Name, system and architecture; the executable replaces it by one with its version.
    public static let defaultUserAgent = "farebox/unreleased (linux/\(architecture))"
}

extension ClientConfiguration: CustomStringConvertible, CustomReflectable {
    /// Server, namespace and the kind of credential; no secret.
    public var description: String {
        "\(server) (namespace \(namespace), credential: \(credential))"
    }
    /// Shows what ``description`` shows.
    public var customMirror: Mirror { Mirror(self, children: ["summary": description]) }
}

/// Where PEM text comes from.
public enum PEMSource: Sendable, Hashable {
    /// The text itself.
    case data([UInt8])
    /// A file, read again from time to time.
    case file(String)
}

/// Our certificate and its key.
public struct ClientCertificate: Sendable, Hashable {
    /// The certificate with its chain.
    public var certificate: PEMSource
    /// Its key.
    public var key: PEMSource

    /// Pairs a certificate with its key.
    public init(certificate: PEMSource, key: PEMSource) {
        self.certificate = certificate
        self.key = key
    }
}

/// What proves who we are, apart from a certificate.
public enum Credential: Sendable {
    /// Nothing.
    case none
    /// A token that does not change.
    case token(SecretText)
    /// A token in a file that is replaced from time to time; the fallback serves until it can be read.
    case tokenFile(String, fallback: SecretText?)
    /// A user name and a password.
    case basic(username: String, password: SecretText)
    /// A program that hands out credentials.
    case exec(ExecPlugin)
}

extension Credential: CustomStringConvertible, CustomReflectable {
    /// The kind of credential; no secret.
    public var description: String {
        switch self {
        case .none: "none"
        case .token: "token"
        case .tokenFile(let path, _): "token from \(path)"
        case .basic(let username, _): "password of \(username)"
        case .exec(let plugin): "plugin \(plugin.command)"
        }
    }
    /// Shows what ``description`` shows.
    public var customMirror: Mirror { Mirror(self, children: ["kind": description]) }
}

/// As whom to act, where RBAC lets us.
///
/// Source: Kubernetes documentation, "Authenticating", user impersonation.
public struct Impersonation: Sendable, Hashable {
    /// The user's name.
    public var user: String
    /// The user's uid.
    public var uid: String
    /// The user's groups.
    public var groups: [String]
    /// Further attributes.
    public var extra: [String: [String]]

    /// Makes an impersonation.
    public init(user: String, uid: String = "", groups: [String] = [], extra: [String: [String]] = [:]) {
        self.user = user
        self.uid = uid
        self.groups = groups
        self.extra = extra
    }

    /// The header fields that ask for it, in a fixed order.
    var headers: [(String, String)] {
        var headers = [("Impersonate-User", user)]
        if !uid.isEmpty { headers.append(("Impersonate-Uid", uid)) }
        headers += groups.map { ("Impersonate-Group", $0) }
        for (key, values) in extra.sorted(by: { $0.key < $1.key }) {
            headers += values.map { ("Impersonate-Extra-" + Self.escaped(key), $0) }
        }
        return headers
    }

    /// Writes a key as part of a field name: bytes that no name has are percent-encoded, and so is the percent sign.
    private static func escaped(_ key: String) -> String {
        var name = ""
        for byte in key.utf8 {
            let scalar = Unicode.Scalar(byte)
            if nameBytes.contains(byte) {
                name.unicodeScalars.append(scalar)
            } else {
                name += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return name
    }

    /// The characters of a token (RFC 9110 §5.6.2) without the percent sign.
    private static let nameBytes = Set(
        "!#$&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
}
