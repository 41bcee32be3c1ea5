import JSON

/// The contents of a kubeconfig file, or of several that were merged.
///
/// Source: Kubernetes documentation, "kubeconfig (v1)". Fields we do not know are ignored.
struct Kubeconfig: Codable, Sendable {
    var currentContext: String?
    var clusters: [NamedCluster]?
    var users: [NamedUser]?
    var contexts: [NamedContext]?

    private enum CodingKeys: String, CodingKey {
        case currentContext = "current-context"
        case clusters, users, contexts
    }

    struct NamedCluster: Codable, Sendable {
        var name: String
        var cluster: Cluster?
    }

    struct NamedUser: Codable, Sendable {
        var name: String
        var user: User?
    }

    struct NamedContext: Codable, Sendable {
        var name: String
        var context: Context?
    }

    /// Where a cluster is and how to know it.
    struct Cluster: Codable, Sendable {
        var server: String?
        var tlsServerName: String?
        var insecureSkipTLSVerify: Bool?
        var certificateAuthority: String?
        var certificateAuthorityData: String?
        var proxyURL: String?
        var disableCompression: Bool?
        var extensions: [NamedExtension]?

        private enum CodingKeys: String, CodingKey {
            case server
            case tlsServerName = "tls-server-name"
            case insecureSkipTLSVerify = "insecure-skip-tls-verify"
            case certificateAuthority = "certificate-authority"
            case certificateAuthorityData = "certificate-authority-data"
            case proxyURL = "proxy-url"
            case disableCompression = "disable-compression"
            case extensions
        }
    }

    /// Data of somebody else, such as the configuration that is passed to credential plugins.
    struct NamedExtension: Codable, Sendable {
        var name: String
        var `extension`: JSONValue?
    }

    /// Who we are.
    struct User: Codable, Sendable {
        var clientCertificate: String?
        var clientCertificateData: String?
        var clientKey: String?
        var clientKeyData: SecretText?
        var token: SecretText?
        var tokenFile: String?
        var username: String?
        var password: SecretText?
        var exec: Exec?
        var authProvider: AuthProvider?
        var impersonatedUser: String?
        var impersonatedUID: String?
        var impersonatedGroups: [String]?
        var impersonatedExtra: [String: [String]]?

        private enum CodingKeys: String, CodingKey {
            case clientCertificate = "client-certificate"
            case clientCertificateData = "client-certificate-data"
            case clientKey = "client-key"
            case clientKeyData = "client-key-data"
            case token, tokenFile, username, password, exec
            case authProvider = "auth-provider"
            case impersonatedUser = "as"
            case impersonatedUID = "as-uid"
            case impersonatedGroups = "as-groups"
            case impersonatedExtra = "as-user-extra"
        }
    }

    /// A program that hands out credentials.
    struct Exec: Codable, Sendable {
        var apiVersion: String?
        var command: String?
        var args: [String]?
        var env: [Variable]?
        var installHint: String?
        var provideClusterInfo: Bool?
        var interactiveMode: String?

        struct Variable: Codable, Sendable {
            var name: String
            var value: String
        }
    }

    /// An authentication built into old versions of kubectl, which nobody offers any more.
    struct AuthProvider: Codable, Sendable {
        var name: String?
    }

    /// A cluster, a user and a namespace that go together.
    struct Context: Codable, Sendable {
        var cluster: String?
        var user: String?
        var namespace: String?
    }
}
