import Cryptography
import HTTP
import JSON

/// What a credential plugin may know about the cluster.
enum ExecCluster {
    /// Returns `spec.cluster` of the plugin's input.
    static func json(_ configuration: ClientConfiguration, _ surroundings: ConfigurationSurroundings) -> JSONValue {
        var cluster: JSONValue = ["server": .string(configuration.server)]
        if let name = configuration.tlsServerName { cluster["tls-server-name"] = .string(name) }
        if configuration.skipsVerification { cluster["insecure-skip-tls-verify"] = true }
        if configuration.disablesCompression { cluster["disable-compression"] = true }
        if case .url(let proxy) = configuration.proxy { cluster["proxy-url"] = .string(proxy) }
        let authorities: [UInt8]? =
            switch configuration.authorities {
            case .data(let bytes): bytes
            case .file(let path): (try? surroundings.file(path)) ?? nil
            case nil: nil
            }
        if let authorities { cluster["certificate-authority-data"] = .string(Base64.encode(authorities)) }
        if let value = configuration.execExtension?.value { cluster["config"] = value }
        return cluster
    }
}
