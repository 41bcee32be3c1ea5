import Commands
import KubernetesClient
import KubernetesTypes
import Telemetry

/// The cluster a command is for.
///
/// It is found as kubectl finds it: `--kubeconfig`, the variable `KUBECONFIG`, `~/.kube/config`, and the
/// context that is current there. Everything happens with the caller's own rights.
struct Cluster: Sendable {
    /// The API server.
    let api: Client
    /// Where functions are looked for and made.
    let namespace: String

    /// Where the installation's own processes are.
    static let systemNamespace = "farebox-system"
    /// Where functions are unless somebody says otherwise.
    static let functionsNamespace = "farebox-functions"
    /// Where images are built.
    static let buildsNamespace = "farebox-builds"
    /// The variable that names the namespace.
    static let namespaceVariable = "FAREBOX_NAMESPACE"

    /// The options that choose it.
    static let options: [CommandDescription.Option] = [
        .init(
            "namespace", short: "n", value: "NAME", completion: .namespaces,
            "where the functions are (default: the context's, else \(functionsNamespace))"),
        .init("context", value: "NAME", "the context of the kubeconfig (default: the current one)"),
        .init("kubeconfig", value: "FILE", completion: .file, "the kubeconfig (default: as kubectl finds it)"),
    ]

    /// Reads the kubeconfig; nothing is sent yet.
    ///
    /// The namespace is that of `--namespace`, of the variable `FAREBOX_NAMESPACE`, of `namespace`, of the context where it
    /// names another than `default`, or else `farebox-functions`.
    ///
    /// - Parameters:
    ///   - options: What was typed.
    ///   - console: Where the environment is read.
    ///   - namespace: What a folder's own file says.
    /// - Throws: `CommandFailure` where there is no usable kubeconfig.
    init(_ options: Options, _ console: Console, namespace: String? = nil) throws(CommandFailure) {
        do {
            // Nobody who typed a command wants to read warnings of the client between its lines.
            Logger.setLevel(.error)
            Logger.setFormat(.text)
            var configuration = try ConfigurationLoader().forPerson(
                kubeconfig: options["kubeconfig"], context: options["context"])
            configuration.userAgent = "farebox"
            let fromContext = configuration.namespace == "default" ? nil : configuration.namespace
            self.namespace =
                options["namespace"] ?? console.variable(Self.namespaceVariable) ?? namespace ?? fromContext
                ?? Self.functionsNamespace
            api = try Client(configuration)
        } catch ConfigurationError.nothingFound(let reason) {
            throw CommandFailure(
                reason,
                advice: "or use an installation's REST API, where it has one: farebox login https://faas.example.com")
        } catch {
            throw CommandFailure(
                "\(error)", advice: "check what kubectl says: kubectl cluster-info; or name a file: --kubeconfig FILE")
        }
    }

    /// The key of an object in the namespace.
    func key(_ name: String) -> ObjectKey { ObjectKey(namespace: namespace, name: name) }
}
