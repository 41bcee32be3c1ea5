import Commands
import HTTP
import JSON
import KubernetesTypes

/// An installation reached by its REST API, OpenFaaS' one, instead of by a kubeconfig.
///
/// It is chosen by `--server`, the variables `FAREBOX_SERVER` and `FAASO_SERVER`, or, where there is no kubeconfig at all, by
/// the last `farebox login`. `--context` and `--kubeconfig` choose a cluster whatever the variables say. Whoever is not
/// logged in may try `FAREBOX_TOKEN`, a token of the cluster.
struct Server: Sendable {
    let address: ServerAddress
    /// Where functions are; nil for where the server has them unless somebody says otherwise.
    let namespace: String?
    /// What is known of it by a login.
    let account: ServerAccount?
    private let credentials: ServerCredentials?
    private let client: HTTPClient

    /// The variable that names the server.
    static let variable = "FAREBOX_SERVER"
    /// FaaSO's name for it.
    static let faasoVariable = "FAASO_SERVER"
    /// The variable with a token.
    static let tokenVariable = "FAREBOX_TOKEN"

    /// The options of commands that a server can do as well as a cluster.
    static let options =
        Cluster.options + [
            .init("server", value: "URL", "a server's REST API instead of a cluster (farebox login)"),
            CertificateAuthorities.option,
        ]

    /// A server answers at once or is out of reach; reading pods' logs, it has others to ask.
    private static let connectTimeout = Duration.seconds(10)
    private static let answerTimeout = Duration.seconds(60)
    /// All functions of a namespace in one answer: some hundred bytes each.
    private static let answerBytesMaximum = 64 << 20
    private static let refusalBytesMaximum = 64 << 10

    /// Makes one; nothing is sent.
    ///
    /// - Parameters:
    ///   - credentials: Who asks; those of the account where nil.
    ///   - authorities: Whom to trust, in PEM; whom the account names where nil, else the system's.
    init(
        _ address: ServerAddress, namespace: String? = nil, account: ServerAccount? = nil,
        credentials: ServerCredentials? = nil, authorities: String? = nil
    ) {
        self.address = address
        self.namespace = namespace
        self.account = account
        self.credentials = credentials ?? account?.credentials
        let trusted = (authorities ?? account?.authorities).map { Array($0.utf8) }
        client = HTTPClient(
            configuration: HTTPClientConfiguration(
                tls: TLSIdentity(authorities: trusted), addresses: .any, connectTimeout: Self.connectTimeout))
    }

    /// The server that a command is for; nil where it is for the cluster of the kubeconfig.
    ///
    /// - Parameter namespace: What a folder's own file says.
    /// - Throws: `UsageError`, `CommandFailure` where the file of logins cannot be read.
    static func chosen(
        _ options: Options, _ console: Console, namespace: String? = nil
    ) async throws -> Server? {
        let namesCluster = options.has("context") || options.has("kubeconfig")
        guard !(namesCluster && options.has("server")) else {
            throw UsageError("--server is a way of its own: leave --context and --kubeconfig out")
        }
        guard !namesCluster else { return nil }
        let text = options["server"] ?? console.variable(variable) ?? console.variable(faasoVariable)
        let address: ServerAddress
        let accounts: ServerAccounts
        if let text {
            address = try ServerAddress(text)
            accounts = try await AccountsFile(console).read()
        } else {
            guard !hasKubeconfig(console), let file = try? AccountsFile(console) else { return nil }
            accounts = try await file.read()
            guard let current = accounts.current else { return nil }
            address = current
        }
        let account = accounts.entries[address]
        var credentials: ServerCredentials?
        if account == nil, let token = console.variable(tokenVariable) {
            credentials = try ServerCredentials(token: token)
        }
        return Server(
            address,
            namespace: options["namespace"] ?? console.variable(Cluster.namespaceVariable) ?? namespace,
            account: account, credentials: credentials, authorities: try await CertificateAuthorities.read(options))
    }

    /// What somebody is told who types `--server` for a command that has to have the cluster.
    static let refusal = [
        "server":
            "OpenFaaS' REST API has nothing for this: it needs the cluster itself, by a kubeconfig (--kubeconfig FILE)"
    ]

    /// Refuses a command that has to have the cluster, where a server was chosen.
    ///
    /// - Parameter command: What was typed.
    /// - Throws: `UsageError`; `CommandFailure` where the file of logins cannot be read.
    static func refuse(_ command: String, _ options: Options, _ console: Console) async throws {
        guard let server = try await chosen(options, console) else { return }
        throw UsageError(
            "\(command): the REST API at \(server.address.url) has nothing for this: it needs the cluster itself, by a "
                + "kubeconfig (--kubeconfig FILE, or --context NAME)")
    }

    /// Whether there is a kubeconfig where it is looked for.
    static func hasKubeconfig(_ console: Console) -> Bool {
        if console.variable("KUBECONFIG") != nil { return true }
        return console.variable("HOME").map { SmallFile.exists($0 + "/.kube/config") } ?? false
    }

    /// Refuses options that only a cluster can answer.
    ///
    /// - Throws: `UsageError`.
    func refuse(_ names: [String], of options: Options) throws(UsageError) {
        guard let name = names.first(where: { options.has($0) }) else { return }
        throw UsageError("--\(name) needs a kubeconfig: the server \(address.url) cannot do it")
    }

    /// A function as the gateway knows it: without a namespace where the server is to say which.
    func key(_ function: String) -> ObjectKey { ObjectKey(namespace: namespace ?? "", name: function) }

    /// What messages call a thing on this server.
    func title(_ kind: String, _ name: String) -> String {
        "\(kind) \(name)" + (namespace.map { " in namespace \($0)" } ?? "") + " at \(address.url)"
    }

    /// Sends a request and returns what is answered, of a success.
    ///
    /// - Parameters:
    ///   - method: The method.
    ///   - path: Below the server's URL; begins with a slash.
    ///   - query: What follows; the namespace comes by itself.
    ///   - body: What to send.
    ///   - object: What it is about, for messages.
    /// - Throws: `CommandFailure` with the server's words.
    func send(
        _ method: HTTPMethod, _ path: String, query: [(String, String)] = [], body: JSONValue? = nil,
        about object: String
    ) async throws -> [UInt8] {
        let stream = try await open(method, path, query: query, body: body, about: object)
        return try await told(object) { try await stream.collect(bytesMaximum: Self.answerBytesMaximum) }
    }

    /// Sends a request and returns when the head of a success is there.
    ///
    /// - Throws: As ``send(_:_:query:body:about:)``.
    func open(
        _ method: HTTPMethod, _ path: String, query: [(String, String)] = [], body: JSONValue? = nil,
        about object: String
    ) async throws -> HTTPClientStream {
        var pairs = query
        if let namespace, !query.contains(where: { $0.0 == "namespace" }) { pairs.append(("namespace", namespace)) }
        let text = pairs.map { "\(PercentEncoding.encode($0.0))=\(PercentEncoding.encode($0.1))" }
            .joined(separator: "&")
        var request = HTTPClientRequest(
            method, url: address.url + path + (text.isEmpty ? "" : "?" + text), timeout: nil,
            headTimeout: Self.answerTimeout)
        if let credentials { request.headers.set("Authorization", credentials.field) }
        if let body {
            request.body = .bytes(JSONWriter().write(body))
            request.headers.set("Content-Type", "application/json")
        }
        let prepared = request
        let stream = try await told(object) { try await client.stream(prepared) }
        guard !stream.status.isSuccess else { return stream }
        let said = (try? await stream.collect(bytesMaximum: Self.refusalBytesMaximum)) ?? []
        throw refusal(stream.status.code, said, object)
    }

    /// Makes a call of a function; the credentials are none of the function's business and stay here.
    ///
    /// - Throws: `CommandFailure`.
    func call(_ plan: InvokePlan) async throws -> HTTPClientStream {
        let target = plan.forwardedTarget(of: key(plan.function))
        return try await told(title("function", plan.function)) {
            try await client.stream(
                HTTPClientRequest(
                    plan.method, url: address.url + target, headers: plan.headers, body: plan.body, timeout: nil,
                    headTimeout: plan.limit))
        }
    }

    /// What a refusal means to somebody who typed a command.
    func refusal(_ status: Int, _ body: [UInt8], _ object: String) -> CommandFailure {
        let words = String(decoding: body.prefix(600), as: UTF8.self).split(whereSeparator: \.isNewline).first ?? ""
        let said = words.isEmpty || words.contains("<") ? "" : ": " + TerminalText.line(String(words))
        switch status {
        case 401:
            return CommandFailure(
                .refused, "\(object): the server does not know you",
                advice: "log in: farebox login \(address.url)")
        case 403: return CommandFailure(.refused, "\(object): you may not do that\(said)")
        case 404:
            return CommandFailure(
                .notFound, "\(object) does not exist\(said)",
                advice: "see which there are: farebox list --server \(address.url)")
        case 409: return CommandFailure(.refused, "\(object): refused\(said)")
        case 429, 502, 503: return CommandFailure("\(object): not now (\(status))\(said)", advice: "try again later")
        case 504: return CommandFailure(.timedOut, "\(object): not in time (504)\(said)")
        default: return CommandFailure("\(object): the server answered \(status)\(said)")
        }
    }

    private func told<Answer>(_ object: String, _ body: () async throws -> Answer) async throws -> Answer {
        do {
            return try await body()
        } catch let error as HTTPClientError {
            throw CommandFailure(error, object)
        }
    }
}
