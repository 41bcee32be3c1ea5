public import Builds
import CRDs

/// How `farebox admin` serves OpenFaaS' REST API: section `admin` of the configuration.
public struct AdminConfiguration: Decodable, Sendable {
    /// Where clients connect.
    public var address = "0.0.0.0"
    /// The port for clients; 0 lets the kernel choose.
    public var port: UInt16 = 8085
    /// The port for probes and Prometheus.
    public var internalPort: UInt16 = 9090
    /// Where the Secret with the name and the password is mounted, in the files `basic-auth-user` and
    /// `basic-auth-password`.
    ///
    /// Without it only tokens of the cluster are good.
    public var credentialsFolder = "/etc/farebox-admin"
    /// Where calls of functions are passed on to: `http://host[:port]`.
    public var gatewayURL = "http://farebox-gateway.farebox-system"
    /// The internal ports of all gateways, which say how calls went: `http://host:port`, a name with an address for each.
    public var gatewayCallsURL = "http://farebox-gateway-internal.farebox-system:9090"
    /// The Prometheus that knows how calls went over longer than an hour; none by default.
    public var prometheusURL: String?
    /// Namespaces of functions, beside the standard one and those that are labelled so.
    public var namespaces: [String] = []

    /// The namespace of requests that name none; follows from elsewhere in the configuration.
    public var functionsNamespace = "farebox-functions"
    /// Whether namespaces with the label `farebox.dev/functions=true` count: not where the operator looks into one only.
    public var followsLabels = true
    /// The domain below which owners have hosts; follows from elsewhere in the configuration.
    public var rootDomain = ""
    /// What functions may set; follows from elsewhere in the configuration.
    public var rules = StackRules()
    /// Farebox's version.
    public var version = ""

    private enum CodingKeys: String, CodingKey {
        case port, internalPort, credentialsFolder, gatewayURL, gatewayCallsURL, prometheusURL, namespaces
    }

    /// Takes the defaults given above.
    public init() {}

    /// Decodes a section; absent fields get their defaults.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        port = try container.decodeIfPresent(UInt16.self, forKey: .port) ?? port
        internalPort = try container.decodeIfPresent(UInt16.self, forKey: .internalPort) ?? internalPort
        credentialsFolder =
            try container.decodeIfPresent(String.self, forKey: .credentialsFolder) ?? credentialsFolder
        gatewayURL = try container.decodeIfPresent(String.self, forKey: .gatewayURL) ?? gatewayURL
        gatewayCallsURL = try container.decodeIfPresent(String.self, forKey: .gatewayCallsURL) ?? gatewayCallsURL
        prometheusURL = try container.decodeIfPresent(String.self, forKey: .prometheusURL)
        namespaces = try container.decodeIfPresent([String].self, forKey: .namespaces) ?? namespaces
    }

    /// Returns what is wrong with the section, one sentence each; empty when nothing is.
    public func validate() -> [String] {
        var problems: [String] = []
        if GatewayAddress(gatewayURL) == nil {
            problems.append("gatewayURL: \"\(gatewayURL)\" must be http://, a host, and a port if it is not 80")
        }
        if GatewayAddress(gatewayCallsURL) == nil {
            problems.append(
                "gatewayCallsURL: \"\(gatewayCallsURL)\" must be http://, a host, and a port if it is not 80")
        }
        if let url = prometheusURL, !url.hasPrefix("http://"), !url.hasPrefix("https://") {
            problems.append("prometheusURL: \"\(url)\" must begin with http:// or https://")
        }
        for name in namespaces where !DNSName.isLabel(name) {
            problems.append("namespaces: \"\(name)\" is no name of a namespace")
        }
        return problems
    }
}
