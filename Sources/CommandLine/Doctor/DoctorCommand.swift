import CRDs
import Commands
import Cryptography
import HTTP
import JSON
import KubernetesClient
import KubernetesTypes
import YAML

/// `farebox doctor`.
enum DoctorCommand {
    static let description = CommandDescription(
        "doctor", section: .program, "looks whether the cluster has what Farebox needs",
        discussion: """
            Checks the cluster's version, the installation's processes, the sandbox, the
            registry, the gateway and the webhook, and says for each what to do. With --probe
            two pods find out for a minute whether NetworkPolicies are enforced and whether
            their node lets rootless BuildKit work; that needs the right to make pods and
            policies in farebox-system. It ends with 1 where something is bad.
            """,
        options: [
            .init("probe", "run two pods that try what nobody can look up"),
            .init("webhook-url", value: "URL", "where the Git host sends its events; asked from here"),
            OutputFormat.option,
        ] + Cluster.options,
        refusedOptions: Server.refusal,
        examples: ["farebox doctor", "farebox doctor --probe --webhook-url https://hooks.example.com/github"])

    static func run(_ options: Options, _ console: Console) async throws {
        let format = try OutputFormat(options)
        try await Server.refuse("doctor", options, console)
        let cluster = try Cluster(options, console)
        let progress = Progress(console)
        defer { progress.end() }
        var findings = try await Self.findings(cluster, progress)
        if let url = options["webhook-url"] {
            progress.begin("sending an event to \(url)")
            findings.append(DoctorRules.webhook(url, status: await post(url)))
        }
        if options.has("probe") { findings += await probe(cluster, progress) }
        progress.end()
        try console.show(finding(findings), as: format)
        let bad = findings.count { $0.outcome == .bad }
        guard bad == 0 else {
            throw CommandFailure(bad == 1 ? "one thing has to be mended" : "\(bad) things have to be mended")
        }
    }

    /// Everything that can be looked up.
    private static func findings(_ cluster: Cluster, _ progress: Progress) async throws -> [DoctorFinding] {
        progress.begin("asking the cluster")
        var findings = [try await about("the cluster") { DoctorRules.version(try await cluster.api.serverVersion()) }]
        findings.append(
            await attempt("Kinds") {
                var missing: [String] = []
                for kind in [Function.descriptor, Repository.descriptor, Receipt.descriptor] {
                    if try await !cluster.api.hasResource(kind) { missing.append(kind.plural) }
                }
                return DoctorRules.kinds(missing: missing)
            })
        var operatorDeployment: JSONValue?
        for (name, isNeeded) in [
            ("operator", true), ("gateway", true), ("builder", true), ("admin", false), ("payments", false),
        ] {
            progress.begin("looking at the \(name)")
            do {
                let deployment = try await object(Deployment.descriptor, "farebox-\(name)", cluster)
                if name == "operator" { operatorDeployment = deployment }
                if let finding = DoctorRules.process(name, deployment, isNeeded: isNeeded) { findings.append(finding) }
            } catch {
                findings.append(unknown(name, error))
            }
        }
        let configuration = await configuration(of: operatorDeployment, cluster)
        findings.append(
            await attempt("Sandbox") {
                let classes = try await cluster.api.list(RuntimeClass.self).items.map(\.metadata.name).sorted()
                return DoctorRules.sandbox(configuration?["functions"], classes: classes)
            })
        findings.append(
            await attempt("Registry") {
                let secret = try await secretExists("farebox-registry", cluster)
                return DoctorRules.registry(configuration?["registry"], hasCredentials: secret)
            })
        for (check, service) in [("Gateway", "farebox-gateway"), ("Events", "farebox-webhook")] {
            progress.begin("calling \(service) through the API server")
            findings.append(await attempt(check) { try await answer(check, service, cluster) })
        }
        return findings
    }

    private static func finding(_ findings: [DoctorFinding]) -> Finding {
        var table = Table(["CHECK", "STATE", Table.Column("FOUND", isProse: true)])
        for finding in findings {
            table.add([
                Table.Cell(finding.check), Table.Cell(finding.outcome.rawValue, finding.outcome.mood),
                Table.Cell(finding.text),
            ])
            if let remedy = finding.remedy {
                table.add([Table.Cell(" "), Table.Cell(" "), Table.Cell("→ " + remedy, isCommand: true)])
            }
        }
        return Finding(table: table, value: .array(findings.map(\.json)), names: findings.map(\.check))
    }

    // MARK: Looking

    private static func attempt(_ check: String, _ body: () async throws -> DoctorFinding) async -> DoctorFinding {
        do { return try await body() } catch { return unknown(check, error) }
    }

    private static func unknown(_ check: String, _ error: any Error) -> DoctorFinding {
        DoctorFinding(check, .unknown, "could not be looked at: \(TerminalText.line("\(error)"))")
    }

    /// An object of the installation; nil where there is none.
    private static func object(
        _ descriptor: ResourceDescriptor, _ name: String, _ cluster: Cluster
    ) async throws -> JSONValue? {
        do {
            return try await cluster.api.get(descriptor, ObjectKey(namespace: Cluster.systemNamespace, name: name))
        } catch let error as KubernetesError where error.isNotFound {
            return nil
        }
    }

    private static func secretExists(_ name: String, _ cluster: Cluster) async throws -> Bool {
        var request = APIRequest(.get, Secret.descriptor, namespace: Cluster.systemNamespace, name: name)
        request.wantsMetadataOnly = true
        do {
            _ = try await cluster.api.send(request)
            return true
        } catch let error as KubernetesError where error.isNotFound {
            return false
        }
    }

    /// The file that the operator reads; nil where that is not to be found.
    private static func configuration(of deployment: JSONValue?, _ cluster: Cluster) async -> JSONValue? {
        let volumes = deployment?[path: "spec", "template", "spec", "volumes"]?.arrayValue ?? []
        guard let name = volumes.first(where: { $0["name"] == "config" })?[path: "configMap", "name"]?.stringValue,
            let map = try? await object(ConfigMap.descriptor, name, cluster),
            let text = map[path: "data", "farebox.yaml"]?.stringValue
        else { return nil }
        return try? YAMLReader().decode(JSONValue.self, from: Array(text.utf8))
    }

    private static func answer(_ check: String, _ service: String, _ cluster: Cluster) async throws -> DoctorFinding {
        let stream = try await cluster.api.forward(
            ForwardedRequest(
                namespace: Cluster.systemNamespace, service: service, port: "http", target: "/",
                headTimeout: .seconds(15)))
        do {
            let answer = try await ServiceAnswer.forwarded(stream, "Service \(service)")
            return DoctorRules.service(check, service, status: answer.status.code)
        } catch let failure as CommandFailure where failure.code != .refused {
            return DoctorRules.service(check, service, status: nil)
        }
    }

    /// Sends an event without a signature, as a stranger would.
    private static func post(_ url: String) async -> Int? {
        let client = HTTPClient(
            configuration: HTTPClientConfiguration(addresses: .any, connectTimeout: .seconds(10)))
        let headers = HTTPHeaders([("Content-Type", "application/json"), ("X-GitHub-Event", "ping")])
        let request = HTTPClientRequest(.post, url: url, headers: headers, body: .bytes(Array("{}".utf8)))
        return try? await client.send(request).status.code
    }

    private static func probe(_ cluster: Cluster, _ progress: Progress) async -> [DoctorFinding] {
        progress.begin("running two pods")
        do {
            guard let deployment = try await object(Deployment.descriptor, "farebox-gateway", cluster),
                let image = deployment[path: "spec", "template", "spec", "containers"]?[0]?["image"]?.stringValue
            else { return [DoctorFinding("Policies", .unknown, "the gateway is not installed, whose image is needed")] }
            let suffix = Hex.encode(randomBytes(4))
            let (free, denied) = try await PolicyProbe(cluster, image: image, suffix: suffix).run()
            return [DoctorRules.policies(free: free, denied: denied), DoctorRules.builds(free)]
        } catch {
            return [unknown("Policies", error)]
        }
    }
}
