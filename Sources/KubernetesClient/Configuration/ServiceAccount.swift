/// The configuration that Kubernetes gives to a pod.
///
/// Source: Kubernetes documentation, "Accessing the Kubernetes API from a Pod".
struct ServiceAccount {
    /// Where the token, the authorities and the namespace are mounted.
    static let folder = "/var/run/secrets/kubernetes.io/serviceaccount"

    let surroundings: ConfigurationSurroundings

    /// Returns the configuration, or `nil` outside a pod.
    func configuration() throws(ConfigurationError) -> ClientConfiguration? {
        guard let host = variable("KUBERNETES_SERVICE_HOST"), let port = variable("KUBERNETES_SERVICE_PORT"),
            let token = try surroundings.file(Self.folder + "/token"), !token.isEmpty
        else { return nil }
        var configuration = ClientConfiguration(
            server: "https://\(host.contains(":") ? "[\(host)]" : host):\(port)", namespace: try namespace())
        // Without the file the system's authorities decide; verification is never turned off.
        let authorities = Self.folder + "/ca.crt"
        if try surroundings.file(authorities) != nil { configuration.authorities = .file(authorities) }
        configuration.credential = .tokenFile(Self.folder + "/token", fallback: nil)
        return configuration
    }

    private func namespace() throws(ConfigurationError) -> String {
        if let namespace = variable("POD_NAMESPACE") { return namespace }
        let bytes = try surroundings.file(Self.folder + "/namespace") ?? []
        let text = String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
        return text.isEmpty ? "default" : text
    }

    private func variable(_ name: String) -> String? {
        surroundings.variable(name).flatMap { $0.isEmpty ? nil : $0 }
    }
}
