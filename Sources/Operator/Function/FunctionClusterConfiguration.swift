import CRDs
public import KubernetesTypes
import Timing

/// What the cluster decides for every function: the sandbox, the network, limits, and how URLs look.
///
/// Every field has a default, so an empty configuration is a valid one.
public struct FunctionClusterConfiguration: Codable, Hashable, Sendable {
    /// The one namespace in which Functions are looked for; all of them when absent.
    public var namespace: String?
    /// The domain under which owners have their hosts: `<owner>.<rootDomain>/<function>`.
    ///
    /// Empty: no such hosts, and every function is called at `<publicURL>/function/<name>.<namespace>`.
    public var rootDomain = ""
    /// Where callers reach the gateway: scheme, host and port, without a path.
    public var publicURL = "http://localhost:8080"
    /// The RuntimeClass of functions that name none.
    ///
    /// When absent, each function has to name one.
    public var runtimeClassName: String? = "gvisor"
    /// The RuntimeClasses that functions may name, beside the default; empty: every one that exists.
    public var allowedRuntimeClasses: [String] = []
    /// Whether functions run without a sandbox when neither they nor ``runtimeClassName`` name one.
    ///
    /// For trial clusters.
    public var allowsUnsandboxed = false
    /// What functions can reach, and who reaches them.
    public var network = FunctionNetworkConfiguration()
    /// Requests and limits of functions that set none, and limits of everything else.
    public var resources = FunctionResourceDefaults()
    /// How long a call may take when a function sets no timeout.
    public var timeout = "60s"
    /// The uid and gid that functions run as: no user of a usual image, and never root.
    public var userID: Int64 = 12000
    /// Keys of labels that functions may put on their pods; a `*` at the end stands for any rest.
    public var allowedLabels = ["team", "project", "environment", "version"]
    /// Keys of annotations that functions may put on their pods; a `*` at the end stands for any rest.
    public var allowedAnnotations = [
        "topic", "schedule", "com.openfaas.*", "interledger.org/payment-pointer", "prometheus.io/*",
    ]
    /// Whose functions may have domains of their own, and which.
    public var domains: [DomainGrant] = []
    /// Whether functions have other domains too once a DNS record shows that they are theirs.
    public var takesDomainProofs = false
    /// The Secret with registry credentials (`kubernetes.io/dockerconfigjson`) that nodes pull functions' images with.
    public var pullCredentials: SecretReference?
    /// The rules of payment; nil where the cluster takes none.
    ///
    /// It follows from the section `payments`, and is not read here.
    public var payments: FunctionPaymentRules?

    /// Makes the default configuration.
    public init() {}

    private enum CodingKeys: String, CodingKey {
        case namespace, rootDomain, publicURL, runtimeClassName, allowedRuntimeClasses, allowsUnsandboxed, network
        case resources, timeout, userID, allowedLabels, allowedAnnotations, domains, takesDomainProofs
        case pullCredentials
    }

    /// Decodes a configuration; absent fields get their defaults.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func value<Value: Decodable>(_ key: CodingKeys, _ absent: Value) throws -> Value {
            try container.decodeIfPresent(Value.self, forKey: key) ?? absent
        }
        let defaults = FunctionClusterConfiguration()
        namespace = try value(.namespace, defaults.namespace)
        rootDomain = try value(.rootDomain, defaults.rootDomain)
        publicURL = try value(.publicURL, defaults.publicURL)
        runtimeClassName = try value(.runtimeClassName, defaults.runtimeClassName)
        allowedRuntimeClasses = try value(.allowedRuntimeClasses, defaults.allowedRuntimeClasses)
        allowsUnsandboxed = try value(.allowsUnsandboxed, defaults.allowsUnsandboxed)
        network = try value(.network, defaults.network)
        resources = try value(.resources, defaults.resources)
        timeout = try value(.timeout, defaults.timeout)
        userID = try value(.userID, defaults.userID)
        allowedLabels = try value(.allowedLabels, defaults.allowedLabels)
        allowedAnnotations = try value(.allowedAnnotations, defaults.allowedAnnotations)
        domains = try value(.domains, defaults.domains)
        takesDomainProofs = try value(.takesDomainProofs, defaults.takesDomainProofs)
        pullCredentials = try value(.pullCredentials, defaults.pullCredentials)
    }

    /// Returns what is wrong with the configuration, one sentence each; empty when nothing is.
    public func validate() -> [String] {
        var problems: [String] = []
        if Duration(goStyle: timeout).map(FunctionLimits.timeout.contains) != true {
            problems.append("timeout: \"\(timeout)\" must be from 1s to 1h")
        }
        if userID < 1 { problems.append("userID: must be above 0; functions never run as root") }
        if !publicURL.hasPrefix("http://"), !publicURL.hasPrefix("https://") {
            problems.append("publicURL: \"\(publicURL)\" must begin with http:// or https://")
        }
        if !rootDomain.isEmpty, !DNSName.isSubdomain(rootDomain) {
            problems.append("rootDomain: \"\(rootDomain)\" is no domain")
        }
        problems += domains.flatMap { $0.problems() }
        return problems + network.validate() + resources.validate()
    }
}

/// The namespace and name of a Secret.
public struct SecretReference: Codable, Hashable, Sendable {
    /// The Secret's namespace.
    public var namespace: String
    /// The Secret's name.
    public var name: String

    /// Makes a reference.
    public init(namespace: String, name: String) {
        self.namespace = namespace
        self.name = name
    }

    /// The Secret's key.
    public var key: ObjectKey { ObjectKey(namespace: namespace, name: name) }
}
