public import Audit
import CRDs
public import ControllerRuntime
public import HTTP
public import KubernetesClient
import Telemetry
import Timing

/// The process that takes the events of Git hosts.
///
/// Every replica serves; none needs the lease.
public enum WebhookProcess {
    /// A body's next piece must come within this time: hosts send at once or not at all.
    private static let bodyIdle: Duration = .seconds(10)
    /// A delivery that comes while a pod's end makes its way through the cluster is taken: hosts send none twice.
    private static let leaveDelay: Duration = .seconds(5)

    /// Where Repositories are made when nobody says where.
    private static let namespaceDefault = "farebox-functions"

    /// Adds the webhook to a manager: an informer of Repositories and the public server.
    ///
    /// - Parameters:
    ///   - manager: Runs it.
    ///   - api: For Repositories and the record of deliveries.
    ///   - client: For the list of customers and GitLab's API, which the administrator names.
    ///   - gitClient: For default branches, at addresses that events name.
    ///   - configuration: Must be free of problems (`validate()`).
    ///   - audit: Is told what events did; nil tells nobody. It must be run beside.
    public static func install(
        in manager: Manager, api: any KubernetesAPI, client: HTTPClient, gitClient: HTTPClient,
        configuration: WebhookConfiguration, audit: AuditLog? = nil
    ) {
        let handler = handler(
            store: ClusterRepositories(api: api, informer: manager.informers.informer(Repository.self)),
            records: ClusterDeliveries(api: api, namespace: configuration.systemNamespace), client: client,
            gitClient: gitClient, configuration: configuration, metrics: WebhookMetrics(manager.metrics),
            audit: EventAudit(log: audit))
        var server = HTTPServerConfiguration()
        server.name = "webhook"
        server.port = configuration.port
        server.bodyBytesMaximum = UInt64(WebhookLimits.bodyBytesMaximum)
        server.timeouts.bodyIdle = bodyIdle
        server.leaveDelay = leaveDelay
        let http = HTTPServer(configuration: server, handler: handler)
        manager.addRunnable("webhook", needsLeadership: false) { try await http.run() }
    }

    /// The handler with all that stands behind it.
    static func handler(
        store: any RepositoryStore, records: any DeliveryRecords, client: HTTPClient,
        gitClient: HTTPClient, configuration: WebhookConfiguration, metrics: WebhookMetrics, audit: EventAudit
    ) -> WebhookHandler {
        let logger = Logger(label: "webhook")
        let place = configuration.customers.url.map(CustomerPlace.url) ?? .file(configuration.customers.file)
        let secretsFolder = configuration.secretsFolder
        let templatePath = configuration.templatePath
        let intake = EventIntake(
            store: store, recorder: PushRecorder(store: store),
            customers: RememberedCustomers(lifetime: place.lifetime, logger: logger) {
                () async throws(CustomerSourceError) in try await place.read(client)
            },
            topics: configuration.gitLab.api.map {
                GitLabProjects(client: client, apiURL: $0, tokenPath: secretsFolder + "/gitlab-api-token")
            },
            topic: configuration.gitLab.topic,
            maker: RepositoryMaker(
                store: store, namespace: configuration.namespace ?? namespaceDefault,
                template: { () throws(RepositoryTemplate.Refusal) in try RepositoryTemplate.file(templatePath) },
                head: SmartHTTPHead(client: gitClient)),
            now: { .now }, logger: logger)
        let desk = DeliveryDesk(
            secrets: MountedSecrets(folder: secretsFolder), intake: intake, deliveries: DeliveryLog(),
            records: records, budget: Budget(WebhookLimits.heldBytesMaximum), metrics: metrics,
            audit: audit, now: { .now }, logger: logger)
        return WebhookHandler(desk: desk, dialects: dialects(configuration))
    }

    /// How each kind of host speaks.
    static func dialects(_ configuration: WebhookConfiguration) -> [GitHostKind: any GitHostDialect] {
        let signature = HubSignature(acceptsSHA1: configuration.acceptsSHA1)
        return [
            .gitHub: GitHubDialect(url: configuration.gitHubURL, signature: signature),
            .gitLab: GitLabDialect(url: configuration.gitLab.url),
            .gitea: GiteaDialect(signature: signature),
            .git: PlainGitDialect(signature: signature),
        ]
    }
}
