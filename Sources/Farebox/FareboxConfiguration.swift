import BuildService
import Builds
import Gateway
import Operator
import Timing
import YAML

/// The configuration file that all processes of one installation share: the ConfigMap `farebox-config`.
///
/// Every field has a default but the registry and the builder image. A key that is not known is refused with its line, so
/// that a misspelt one is never ignored. `docs/admin.md` lists the fields.
struct FareboxConfiguration: Decodable {
    static let pathDefault = "/etc/farebox/farebox.yaml"
    static let systemNamespace = "farebox-system"

    /// The domain below which each owner has a host.
    var rootDomain = ""
    /// Where callers reach the gateway: scheme, host and port.
    var publicURL = "http://localhost:8080"
    /// The namespace of `/function/<name>` without a namespace.
    var functionsNamespace = "farebox-functions"
    var registry = RegistrySection()
    var functions = FunctionClusterConfiguration()
    var builds = BuildSection()
    var git = GitSection()
    var gateway = GatewaySection()
    var artifacts = ArtifactServerConfiguration()

    enum CodingKeys: String, CodingKey {
        case rootDomain, publicURL, functionsNamespace, registry, functions, builds, git, gateway, artifacts
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        rootDomain = try container.decodeIfPresent(String.self, forKey: .rootDomain) ?? rootDomain
        publicURL = try container.decodeIfPresent(String.self, forKey: .publicURL) ?? publicURL
        functionsNamespace =
            try container.decodeIfPresent(String.self, forKey: .functionsNamespace) ?? functionsNamespace
        registry = try container.decodeIfPresent(RegistrySection.self, forKey: .registry) ?? registry
        functions = try container.decodeIfPresent(FunctionClusterConfiguration.self, forKey: .functions) ?? functions
        builds = try container.decodeIfPresent(BuildSection.self, forKey: .builds) ?? builds
        git = try container.decodeIfPresent(GitSection.self, forKey: .git) ?? git
        gateway = try container.decodeIfPresent(GatewaySection.self, forKey: .gateway) ?? gateway
        artifacts = try container.decodeIfPresent(ArtifactServerConfiguration.self, forKey: .artifacts) ?? artifacts
    }

    /// The build settings, with what the registry's section says.
    var buildConfiguration: BuildConfiguration {
        var configuration = builds.configuration
        configuration.insecureRegistries = registry.allInsecure
        configuration.mirrors = registry.mirrors
        return configuration
    }

    /// The functions' settings, with what the sections above say.
    var functionConfiguration: FunctionClusterConfiguration {
        var configuration = functions
        configuration.rootDomain = rootDomain
        configuration.publicURL = publicURL
        configuration.pullCredentials =
            registry.credentialsSecret.isEmpty
            ? nil : SecretReference(namespace: Self.systemNamespace, name: registry.credentialsSecret)
        return configuration
    }
}
