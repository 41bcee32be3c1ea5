import JSON
import KubernetesTypes

/// Registry credentials as Docker keeps them: a JSON object with `auths` by registry.
///
/// A function's pull Secret gets only what its own image needs: whoever can read the function's namespace reads it.
struct PullCredentials: Sendable {
    private let entries: JSONObject

    /// Reads the credentials of a Secret of type `kubernetes.io/dockerconfigjson`.
    ///
    /// - Returns: `nil` when the Secret holds none.
    init?(_ secret: Secret) {
        guard let bytes = secret[Self.dataKey], let tree = try? JSONReader().parse(bytes),
            let entries = tree["auths"]?.objectValue
        else { return nil }
        self.entries = entries
    }

    /// The key and type that Kubernetes gives such Secrets.
    static let dataKey = ".dockerconfigjson"
    static let secretType = "kubernetes.io/dockerconfigjson"

    /// Returns a Docker configuration with the entry for an image's registry, if there is one.
    func configuration(forImage reference: String) -> [UInt8]? {
        let registry = Self.registry(of: reference)
        guard let entry = entries.first(where: { Self.host(of: $0.key) == registry })?.value else { return nil }
        return JSONWriter().write(["auths": .object([registry: entry])])
    }

    /// The registry of a reference: the part before the first slash if it looks like a host, else Docker's own.
    static func registry(of reference: String) -> String {
        guard let slash = reference.firstIndex(of: "/") else { return dockerHub }
        let first = reference[..<slash]
        return first.contains(".") || first.contains(":") || first == "localhost" ? first.lowercased() : dockerHub
    }

    private static let dockerHub = "docker.io"

    /// The host of a key: people write it with scheme and path, and Docker's own by its old address.
    private static func host(of key: String) -> String {
        let start = key.firstRange(of: "://")?.upperBound ?? key.startIndex
        let host = key[start...].prefix { $0 != "/" }.lowercased()
        return ["index.docker.io", "registry-1.docker.io"].contains(host) ? dockerHub : host
    }
}

extension FunctionChildren {
    /// The Secret that the nodes pull the function's image with.
    func pullSecret(_ dockerConfiguration: [UInt8]) -> Secret {
        Secret(
            metadata: metadata(name: pullSecretName), type: PullCredentials.secretType,
            data: [PullCredentials.dataKey: Base64Bytes(dockerConfiguration)])
    }
}
