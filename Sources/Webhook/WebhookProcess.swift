import CRDs
public import ControllerRuntime
import HTTP
public import KubernetesClient
import Telemetry
import Timing

/// What the webhook is told at its start.
public struct WebhookConfiguration: Sendable {
    /// The port for deliveries; 0 takes a free one.
    ///
    /// Default 8081.
    public var port: UInt16 = 8081
    /// The folder with the secrets, files `github` and `github-next`: a mounted Secret.
    public var secretsFolder = "/etc/farebox-webhook"

    /// Makes a configuration with the defaults.
    public init() {}
}

/// The process that takes the events of Git hosts.
///
/// Every replica serves; none needs the lease.
public enum WebhookProcess {
    /// Adds the webhook to a manager: an informer of Repositories and the public server.
    public static func install(
        in manager: Manager, api: any KubernetesAPI, configuration: WebhookConfiguration
    ) {
        let directory = ClusterRepositories(api: api, informer: manager.informers.informer(Repository.self))
        let github = GitHubHandler(
            secrets: MountedSecrets(folder: configuration.secretsFolder), directory: directory,
            deliveries: DeliveryLog(), budget: BodyBudget(bytesMaximum: WebhookLimits.heldBytesMaximum),
            now: { .now }, logger: Logger(label: "webhook"))
        var server = HTTPServerConfiguration()
        server.name = "webhook"
        server.port = configuration.port
        server.bodyBytesMaximum = UInt64(WebhookLimits.bodyBytesMaximum)
        let http = HTTPServer(configuration: server, handler: WebhookHandler(github: github))
        manager.addRunnable("webhook", needsLeadership: false) { try await http.run() }
    }
}
