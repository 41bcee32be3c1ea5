import Cryptography
import JSON

/// Passwords of registries, read from a Docker `config.json` (Secret type `kubernetes.io/dockerconfigjson`).
///
/// Keys are hosts with or without scheme, as Docker, Podman and Kubernetes write them: `registry:5000`,
/// `https://registry:5000`, `https://index.docker.io/v1/`. With a path they are for repositories below it alone, as for the
/// kubelet: of `registry/team` and `registry`, the longer one counts for `registry/team/function`. BuildKit itself knows one
/// login for a host.
public struct RegistryCredentials: Sendable, CustomStringConvertible {
    /// A user and a password.
    public struct Login: Sendable, Hashable, CustomStringConvertible {
        /// The user.
        public let username: String
        /// The password or token.
        public let password: String
        /// What a token service gives tokens for in the place of a password (`identitytoken`, an OAuth 2 refresh token).
        public let identityToken: String?

        /// Makes a login.
        public init(username: String, password: String, identityToken: String? = nil) {
            self.username = username
            self.password = password
            self.identityToken = identityToken
        }

        /// Never the values.
        public var description: String { "(login)" }

        /// The value of an `Authorization` header (RFC 7617).
        var basic: String { "Basic " + Base64.encode(Array((username + ":" + password).utf8), .standard) }
    }

    private let logins: [String: Login]

    /// No passwords.
    public init() { logins = [:] }

    /// Reads a `config.json`.
    ///
    /// Entries without a usable `auth`, `identitytoken` or `username` and `password` are left out, as Docker leaves them to a helper.
    /// - Throws: ``RegistryCredentialsError`` when it is no such file, or one that only names helpers.
    public init(dockerConfig: [UInt8]) throws(RegistryCredentialsError) {
        let reader = JSONReader(limits: JSONReader.Limits(bytesMaximum: 1 << 20, depthMaximum: 16))
        guard let root = try? reader.parse(dockerConfig), root.objectValue != nil else { throw .notJSON }
        var logins: [String: Login] = [:]
        if let auths = root["auths"] {
            guard let entries = auths.objectValue else { throw .noAuths }
            for (key, entry) in entries {
                guard let login = Self.login(entry) else { continue }
                logins[Self.place(key)] = login
            }
        }
        // Docker Desktop writes such files: the passwords are in a keychain of the machine where somebody logged in.
        if logins.isEmpty, let helper = DockerConfiguration.helpers(root).first { throw .onlyHelper(helper) }
        self.logins = logins
    }

    /// The file that such logins are read from, by the keys that Docker writes.
    public static func dockerConfig(_ logins: [String: Login]) -> [UInt8] {
        let auths = logins.mapValues { login -> JSONValue in
            if let token = login.identityToken { return ["identitytoken": .string(token)] }
            return ["auth": .string(Base64.encode(Array((login.username + ":" + login.password).utf8), .standard))]
        }
        return JSONWriter(style: .pretty).write(["auths": JSONValue(auths)]) + [UInt8(ascii: "\n")]
    }

    /// The login for a repository.
    ///
    /// - Parameter image: Its registry is host and port, `docker.io` for Docker Hub.
    public func login(for image: ImageReference) -> Login? {
        var place = Self.place(image.registry + "/" + image.repository)
        while true {
            if let login = logins[place] { return login }
            guard let slash = place.lastIndex(of: "/") else { return nil }
            place = String(place[..<slash])
        }
    }

    /// All passwords, to be masked in logs.
    public var secrets: [String] {
        logins.values.flatMap { [$0.password, $0.identityToken ?? ""] }.filter { !$0.isEmpty }.sorted()
    }

    /// Which registries have a password; never the passwords.
    public var description: String { "(logins of \(logins.keys.sorted()))" }

    static func login(_ entry: JSONValue) -> Login? {
        let identityToken = entry["identitytoken"]?.stringValue
        if let identityToken, !identityToken.isEmpty {
            return Login(username: "", password: "", identityToken: identityToken)
        }
        if let auth = entry["auth"]?.stringValue, !auth.isEmpty, let bytes = Base64.decode(auth, .standard) {
            let text = String(decoding: bytes.filter { $0 != 0 }, as: UTF8.self)
            guard let colon = text.firstIndex(of: ":") else { return nil }
            return Login(username: String(text[..<colon]), password: String(text[text.index(after: colon)...]))
        }
        guard let username = entry["username"]?.stringValue, let password = entry["password"]?.stringValue,
            !username.isEmpty
        else { return nil }
        return Login(username: username, password: password)
    }

    /// Host and path without the scheme, the version of the registry's API, and the several names of Docker Hub.
    static func place(_ key: String) -> String {
        var rest = key[...]
        for scheme in ["https://", "http://"] where rest.hasPrefix(scheme) { rest = rest.dropFirst(scheme.count) }
        var parts = rest.split(separator: "/").map(String.init)
        guard let host = parts.first?.lowercased() else { return "" }
        let names = ["index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"]
        parts[0] = names.contains(host) ? "docker.io" : host
        if parts.count == 2, ["v1", "v2"].contains(parts[1]) { parts.removeLast() }
        return parts.joined(separator: "/")
    }
}

/// Why a `config.json` cannot be used.
public enum RegistryCredentialsError: Error, Equatable, CustomStringConvertible {
    /// It is not a JSON object.
    case notJSON
    /// Its `auths` is not an object.
    case noAuths
    /// It holds no password, only the name of a program that has them.
    case onlyHelper(String)

    /// One sentence.
    public var description: String {
        switch self {
        case .notJSON: "the registry credentials are not a JSON object as Docker's config.json is"
        case .noAuths: "the registry credentials hold 'auths' that is not an object"
        case .onlyHelper(let name):
            "the registry credentials hold no password, only the helper '\(name.prefix(100))' (credsStore or credHelpers), a program "
                + "of the machine where somebody logged in; make a file with passwords there: farebox registry-auth"
        }
    }
}
