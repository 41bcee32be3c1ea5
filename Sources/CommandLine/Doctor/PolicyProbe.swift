import Commands
import JSON
import KubernetesClient
import KubernetesTypes
import Timing

/// Two pods that try to connect to the gateway, one of them against a NetworkPolicy, and say what they found.
///
/// They run Farebox's own image, which the nodes have, and take themselves away again.
struct PolicyProbe: Sendable {
    /// What one pod found.
    struct Report: Sendable, Equatable {
        /// Whether it connected.
        let hasReached: Bool
        /// How many user namespaces its node allows; nil where that could not be read.
        let userNamespacesMaximum: Int?
        /// Whether AppArmor leaves user namespaces to root.
        let isRestricted: Bool
        /// The node.
        let node: String

        /// Reads the words that the pod left: `yes 28633 0`.
        init?(_ words: String, node: String) {
            let parts = words.split(whereSeparator: \.isWhitespace)
            guard parts.count == 3, ["yes", "no"].contains(parts[0]) else { return nil }
            hasReached = parts[0] == "yes"
            userNamespacesMaximum = Int(parts[1])
            isRestricted = parts[2] == "1"
            self.node = TerminalText.line(node)
        }
    }

    private let cluster: Cluster
    private let image: String
    private let name: String

    /// How long the pods may take, their image included.
    private static let limit = Duration.seconds(120)
    private static let interval = Duration.seconds(1)
    private static let label = "farebox.dev/doctor"

    /// Makes a probe.
    ///
    /// - Parameters:
    ///   - image: Farebox's own image.
    ///   - suffix: Tells this probe's objects from another's.
    init(_ cluster: Cluster, image: String, suffix: String) {
        self.cluster = cluster
        self.image = image
        name = "farebox-doctor-\(suffix)"
    }

    /// Runs both pods and takes everything away again.
    ///
    /// - Returns: What each found; nil for one that did not end in time.
    /// - Throws: `KubernetesError` where they cannot be made.
    func run() async throws -> (free: Report?, denied: Report?) {
        do {
            let reports = try await probe()
            await clean()
            return reports
        } catch {
            await clean()
            throw error
        }
    }

    private func probe() async throws -> (free: Report?, denied: Report?) {
        let service = try await cluster.api.get(Service.descriptor, Self.key("farebox-gateway"))
        let address = service[path: "spec", "clusterIP"]?.stringValue ?? ""
        _ = try await create(NetworkPolicy.descriptor, policy)
        for kind in ["free", "denied"] { _ = try await create(Pod.descriptor, pod(kind, address: address)) }
        return (free: try await report("free"), denied: try await report("denied"))
    }

    private func create(_ descriptor: ResourceDescriptor, _ body: JSONValue) async throws -> [UInt8] {
        try await cluster.api.send(
            APIRequest(.create, descriptor, namespace: Cluster.systemNamespace, body: body))
    }

    private func report(_ kind: String) async throws -> Report? {
        let deadline = ContinuousClock.now + Self.limit
        while ContinuousClock.now < deadline {
            let pod = try await cluster.api.get(Pod.self, Self.key("\(name)-\(kind)"))
            if let end = pod.status?.containerStatuses.first?.state?.terminated {
                return Report(end.message, node: pod.spec?.nodeName ?? "")
            }
            // The probe ends by itself in some seconds; one look at one pod is enough until then.
            try await Task.sleep(for: Self.interval)
        }
        return nil
    }

    /// Takes everything away; what cannot be is told by nobody but the next look at the namespace.
    private func clean() async {
        let (api, name) = (cluster.api, name)
        // A person who interrupts the command has left already: this is not cancelled with it.
        await Task.detached {
            for kind in ["free", "denied"] {
                try? await api.delete(
                    Pod.self, Self.key("\(name)-\(kind)"), options: DeleteOptions(gracePeriod: .zero))
            }
            try? await api.delete(NetworkPolicy.self, Self.key(name))
        }.value
    }

    private static func key(_ name: String) -> ObjectKey { ObjectKey(namespace: Cluster.systemNamespace, name: name) }

    // MARK: The objects

    /// Lets the pod with the label connect to nothing.
    var policy: JSONValue {
        [
            "apiVersion": .string(NetworkPolicy.descriptor.apiVersion), "kind": "NetworkPolicy",
            "metadata": ["name": .string(name)],
            "spec": [
                "podSelector": ["matchLabels": .object([Self.label: .string("\(name)-denied")])],
                "policyTypes": ["Egress"], "egress": [],
            ],
        ]
    }

    /// Tries to connect and leaves three words: whether it did, and two settings of the node.
    ///
    /// The one that must not connect tries for some seconds, since a policy takes a moment to reach a new pod.
    func pod(_ kind: String, address: String) -> JSONValue {
        let script = """
            reach() { timeout 5 bash -c "exec 3<>/dev/tcp/$ADDRESS/80" 2>/dev/null; }
            reached=no
            for _ in 1 2 3 4 5 6 7 8 9 10; do
                if reach; then reached=yes; else reached=no; fi
                [ "$reached" = "$EXPECTED" ] && break
                # Policies take effect some time after they are there, and nothing tells when.
                sleep 1
            done
            most=$(cat /proc/sys/user/max_user_namespaces 2>/dev/null || echo unknown)
            restricted=$(cat /proc/sys/kernel/apparmor_restrict_unprivileged_userns 2>/dev/null || echo 0)
            echo "$reached $most $restricted" > /dev/termination-log
            """
        let security: JSONValue = [
            "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": ["drop": ["ALL"]],
        ]
        let variables: JSONValue = [
            ["name": "ADDRESS", "value": .string(address)],
            ["name": "EXPECTED", "value": .string(kind == "free" ? "yes" : "no")],
        ]
        let container: JSONValue = [
            "name": "probe", "image": .string(image), "command": ["bash", "-c", .string(script)], "env": variables,
            "securityContext": security,
            "resources": ["requests": ["cpu": "10m", "memory": "16Mi"], "limits": ["memory": "64Mi"]],
        ]
        return [
            "apiVersion": "v1", "kind": "Pod",
            "metadata": [
                "name": .string("\(name)-\(kind)"), "labels": .object([Self.label: .string("\(name)-\(kind)")]),
            ],
            "spec": [
                "restartPolicy": "Never", "automountServiceAccountToken": false, "enableServiceLinks": false,
                // Its pull Secret opens the registry that Farebox's image is in.
                "serviceAccountName": "farebox-gateway", "activeDeadlineSeconds": 120,
                "securityContext": [
                    "runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532,
                    "seccompProfile": ["type": "RuntimeDefault"],
                ],
                "containers": [container],
            ],
        ]
    }
}
