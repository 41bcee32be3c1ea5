import JSON

/// Docker's `config.json` on the machine of a person: which registries somebody logged in to, and where each password is.
///
/// Source: the command line's configuration of Docker, "Credential stores" and "Credential helpers".
public struct DockerConfiguration: Sendable {
    /// Where the password of a registry is.
    public enum Place: Sendable, Hashable {
        /// In the file.
        case file(RegistryCredentials.Login)
        /// A program named `docker-credential-<name>` has it.
        case helper(String)
        /// Nowhere.
        case none
    }

    private let root: JSONValue

    /// Reads the file.
    ///
    /// - Throws: ``RegistryCredentialsError`` when it is no such file.
    public init(_ bytes: [UInt8]) throws(RegistryCredentialsError) {
        let reader = JSONReader(limits: JSONReader.Limits(bytesMaximum: 1 << 20, depthMaximum: 16))
        guard let root = try? reader.parse(bytes), root.objectValue != nil else { throw .notJSON }
        guard root["auths"].map({ $0.objectValue != nil }) ?? true else { throw .noAuths }
        self.root = root
    }

    /// The registries that the file knows, as it writes them.
    public var registries: [String] {
        var keys: [String] = []
        for field in ["auths", "credHelpers"] {
            guard let entries = root[field]?.objectValue else { continue }
            for (key, _) in entries where !keys.contains(key) { keys.append(key) }
        }
        return keys.sorted()
    }

    /// The key that the file has for a registry that somebody named: with or without a scheme, Docker Hub by any of its names.
    public func key(of registry: String) -> String {
        let place = RegistryCredentials.place(registry)
        if let known = registries.first(where: { RegistryCredentials.place($0) == place }) { return known }
        return place == "docker.io" ? Self.dockerHub : registry
    }

    /// Where the password for a key is: a helper of this registry goes before the one for all, as for Docker.
    public func place(of key: String) -> Place {
        if let name = root["credHelpers"]?[key]?.stringValue, !name.isEmpty { return .helper(name) }
        if let name = root["credsStore"]?.stringValue, !name.isEmpty { return .helper(name) }
        return root["auths"]?[key].flatMap { RegistryCredentials.login($0) }.map { .file($0) } ?? .none
    }

    /// How Docker writes Docker Hub.
    private static let dockerHub = "https://index.docker.io/v1/"

    /// The helpers that a file names.
    static func helpers(_ root: JSONValue) -> [String] {
        var names: [String] = []
        if let name = root["credsStore"]?.stringValue { names.append(name) }
        if let entries = root["credHelpers"]?.objectValue {
            for (_, name) in entries { names.append(name.stringValue ?? "") }
        }
        return names.filter { !$0.isEmpty }
    }
}
