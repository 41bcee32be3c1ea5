import AdminService
import AsyncCalls
import Audit
import BuildService
import Builds
import Gateway
import KubernetesTypes
import Operator
import Payments
import Webhook
import YAML

/// The configuration file that all processes of one installation share: the ConfigMap `farebox-config`.
///
/// Every field has a default but the registry and the builder image. A key that is not known is refused with its line, so
/// that a misspelt one is never ignored. `docs/admin.md` lists the fields.
struct FareboxConfiguration: Decodable {
    static let pathDefault = "/etc/farebox/farebox.yaml"
    static let systemNamespace = "farebox-system"
    private static let credentialsSecretDefault = "farebox-registry"

    /// The domain below which each owner has a host.
    let rootDomain: String
    /// Where callers reach the gateway: scheme, host and port.
    let publicURL: String
    /// The namespace of `/function/<name>` without a namespace.
    let functionsNamespace: String
    let functions: FunctionClusterConfiguration
    let gateway: GatewaySection
    let admin: AdminConfiguration
    let artifacts: ArtifactServerConfiguration
    /// How the Function Builder API runs.
    let buildAPI: BuildAPIConfiguration
    let audit: AuditConfiguration
    let payments: PaymentsConfiguration
    /// How calls that do not wait are kept and made.
    let async: AsyncConfiguration
    /// How events of Git hosts are taken.
    let webhook: WebhookConfiguration
    /// How sources are fetched and built, where images go, and whom to tell: the sections `git`, `registry`, `builder`,
    /// `builds`, `runtimes`, `gitHub`, `gitLab`, `statuses` and
    /// `logs`.
    let repositories: RepositoryClusterConfiguration

    enum CodingKeys: String, CodingKey {
        case rootDomain, publicURL, functionsNamespace, functions, gateway, admin, artifacts, buildAPI, audit, payments
        case webhook
        case async
        case git, registry, builder, builds, runtimes, gitHub, gitLab, statuses, logs
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func value<Value: Decodable>(_ key: CodingKeys, _ absent: Value) throws -> Value {
            try container.decodeIfPresent(Value.self, forKey: key) ?? absent
        }
        rootDomain = try value(.rootDomain, "")
        publicURL = try value(.publicURL, "http://localhost:8080")
        functionsNamespace = try value(.functionsNamespace, "farebox-functions")
        gateway = try value(.gateway, GatewaySection())
        artifacts = try value(.artifacts, ArtifactServerConfiguration())
        buildAPI = try value(.buildAPI, BuildAPIConfiguration())
        payments = try value(.payments, PaymentsConfiguration())
        self.async = try value(.async, AsyncConfiguration())
        var webhook = try value(.webhook, WebhookConfiguration())
        webhook.namespace = webhook.namespace ?? functionsNamespace
        webhook.systemNamespace = Self.systemNamespace
        self.webhook = webhook
        audit = try value(.audit, AuditConfiguration())
        var repositories = RepositoryClusterConfiguration()
        repositories.git = try value(.git, repositories.git)
        repositories.registry = try value(.registry, repositories.registry)
        repositories.builder = try value(.builder, repositories.builder)
        repositories.builds = try value(.builds, repositories.builds)
        repositories.runtimes = try value(.runtimes, repositories.runtimes)
        repositories.gitHub = try value(.gitHub, repositories.gitHub)
        repositories.gitLab = try value(.gitLab, repositories.gitLab)
        repositories.statuses = try value(.statuses, repositories.statuses)
        repositories.logs = try value(.logs, repositories.logs)
        repositories.logs.ownNamespace = functionsNamespace
        repositories.registry.credentials =
            repositories.registry.credentials
            ?? SecretReference(namespace: Self.systemNamespace, name: Self.credentialsSecretDefault)
        self.repositories = repositories
        var functions = try value(.functions, FunctionClusterConfiguration())
        functions.rootDomain = rootDomain
        functions.publicURL = publicURL
        functions.pullCredentials = repositories.registry.credentials
        functions.payments =
            payments.isSetUp ? FunctionPaymentRules(allowsPointerPorts: payments.wallets.allowsPorts) : nil
        self.functions = functions
        var admin = try value(.admin, AdminConfiguration())
        admin.functionsNamespace = functionsNamespace
        admin.followsLabels = functions.namespace == nil
        admin.rootDomain = rootDomain
        admin.rules = repositories.stackRules(functions)
        self.admin = admin
    }

    /// What is wrong with the configuration, one sentence each; empty when nothing is.
    var problems: [String] {
        functions.validate() + repositories.validate() + artifacts.validate().map { "artifacts." + $0 }
            + buildAPI.validate().map { "buildAPI." + $0 }
            + webhook.validate().map { "webhook." + $0 }
            + self.async.validate().map { "async." + $0 }
            + audit.validate().map { "audit." + $0 }
            + admin.validate().map { "admin." + $0 }
            + payments.validate().map { "payments." + $0 }
    }
}
