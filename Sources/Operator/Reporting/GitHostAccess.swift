import Builds
import CRDs
import GitHosts
import Glibc
import HTTP
import KubernetesClient
import Telemetry

/// The parts that speak to Git hosts, put together: credentials for `git` and for the hosts' APIs, and the reporter.
struct GitHostAccess: Sendable {
    let credentials: GitCredentialSource
    private let exchange: GitHostExchange
    private let configuration: RepositoryClusterConfiguration
    private let functions: FunctionClusterConfiguration

    /// - Parameter client: For addresses that the administrator named: private addresses must be allowed.
    init(
        configuration: RepositoryClusterConfiguration, functions: FunctionClusterConfiguration,
        api: any KubernetesAPI, client: HTTPClient
    ) {
        self.configuration = configuration
        self.functions = functions
        let authorities = configuration.git.certificatesPath.flatMap(Self.read)
        let tls = TLSIdentity(authorities: authorities)
        let guarded = HTTPClient(
            configuration: HTTPClientConfiguration(
                tls: tls, addresses: configuration.git.allowsPrivateAddresses ? .any : .publicOnly))
        let open =
            authorities == nil ? client : HTTPClient(configuration: HTTPClientConfiguration(tls: tls, addresses: .any))
        exchange = GitHostExchange(open: open, guarded: guarded)
        credentials = GitCredentialSource(api: api, gitHub: configuration.gitHub, exchange: exchange)
    }

    /// Makes the one that tells Git hosts how commits do.
    func reporter(metrics: MetricsRegistry) -> StatusReporter {
        let sender = StatusSender(exchange: exchange, tokens: credentials.installationTokens)
        return StatusReporter(
            teller: StatusTeller(credentials: credentials, sender: sender),
            places: StatusPlaces(
                gitHub: configuration.gitHub, gitLab: configuration.gitLab, settings: configuration.statuses,
                allowsPlainHTTP: configuration.git.allowsPlainHTTP),
            target: StatusTarget(publicURL: functions.publicURL, rootDomain: functions.rootDomain), metrics: metrics)
    }

    /// A file of certificates; nil when it cannot be read, and Git will say so.
    private static func read(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < 4 << 20, case let count = fread(&chunk, 1, chunk.count, file), count > 0 {
            bytes += chunk[..<count]
        }
        return bytes
    }
}
