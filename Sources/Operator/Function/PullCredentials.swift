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
    ///
    /// An entry may be for a path below the registry; of several that hold the image, the longest counts.
    func configuration(forImage reference: String) -> [UInt8]? {
        let registry = Self.registry(of: reference)
        let isComplete = reference.lowercased().hasPrefix(registry + "/")
        let image = registry + "/" + (isComplete ? reference.dropFirst(registry.count + 1) : reference[...])
        // Without tag and digest; before the last slash a colon is a port's.
        let last = (image.lastIndex(of: "/") ?? image.startIndex)
        let end = image[last...].firstIndex { $0 == ":" || $0 == "@" } ?? image.endIndex
        let found = entries.map { (place: Self.place(of: $0.key), entry: $0.value) }
            .filter { (image[..<end] + "/").hasPrefix($0.place + "/") }
            .max { $0.place.count < $1.place.count }
        guard let found else { return nil }
        return JSONWriter().write(["auths": .object([registry: found.entry])])
    }

    /// The registry of a reference: the part before the first slash if it looks like a host, else Docker's own.
    static func registry(of reference: String) -> String {
        guard let slash = reference.firstIndex(of: "/") else { return dockerHub }
        let first = reference[..<slash]
        return first.contains(".") || first.contains(":") || first == "localhost" ? first.lowercased() : dockerHub
    }

    private static let dockerHub = "docker.io"

    /// Host and path of a key: people write it with scheme and API version, and Docker's own by its old address.
    private static func place(of key: String) -> String {
        let start = key.firstRange(of: "://")?.upperBound ?? key.startIndex
        var parts = key[start...].split(separator: "/").map(String.init)
        guard let host = parts.first?.lowercased() else { return "" }
        parts[0] = ["index.docker.io", "registry-1.docker.io"].contains(host) ? dockerHub : host
        if parts.count == 2, ["v1", "v2"].contains(parts[1]) { parts.removeLast() }
        return parts.joined(separator: "/")
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
