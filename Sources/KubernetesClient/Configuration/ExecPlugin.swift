import JSON

/// A program that hands out credentials.
///
/// Source: Kubernetes documentation, "client-go credential plugins".
public struct ExecPlugin: Sendable {
    /// The protocol's version: `client.authentication.k8s.io/v1` or `/v1beta1`.
    public var apiVersion: String
    /// A path, or a name to look up in `PATH`.
    public var command: String
    /// Its arguments.
    public var arguments: [String]
    /// Variables added to our own environment, in order.
    public var environment: [(name: String, value: String)]
    /// What to tell a person when the program is missing.
    public var installHint: String
    /// Whether the program is told about the cluster.
    public var providesClusterInfo: Bool
    /// Whether the program may talk to a person.
    public var interactiveMode: InteractiveMode

    /// Whether a plugin may use standard input.
    public enum InteractiveMode: String, Sendable {
        /// It never does.
        case never = "Never"
        /// It does when there is a terminal.
        case ifAvailable = "IfAvailable"
        /// It must; without a terminal it is not run.
        case always = "Always"
    }

    /// The versions that we speak.
    static let apiVersions = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"]
}

/// What a plugin is told about the cluster besides its address: data from the kubeconfig.
struct ExecClusterExtension: Sendable {
    /// The name under which a kubeconfig's cluster holds it.
    static let name = "client.authentication.k8s.io/exec"

    var value: JSONValue
}
