import JSON
import KubernetesClient

/// What the facts of a cluster mean for Farebox: pure rules, one for each check.
enum DoctorRules {
    /// The oldest minor release of Kubernetes 1 that Farebox runs on.
    private static let minorLeast = 20

    /// The API server's release.
    static func version(_ version: ServerVersion) -> DoctorFinding {
        guard version.major == "1", let minor = version.minorNumber else {
            return DoctorFinding(
                "Kubernetes", .unknown, "the server says it is \(TerminalText.line(version.gitVersion))")
        }
        guard minor >= minorLeast else {
            return DoctorFinding(
                "Kubernetes", .bad, "\(TerminalText.line(version.gitVersion)) is too old",
                remedy: "update the cluster to 1.\(minorLeast) or later")
        }
        return DoctorFinding("Kubernetes", .good, TerminalText.line(version.gitVersion))
    }

    /// Which of our kinds the server knows.
    static func kinds(missing: [String]) -> DoctorFinding {
        guard missing.isEmpty else {
            return DoctorFinding(
                "Kinds", .bad, "the cluster does not know \(missing.joined(separator: ", "))",
                remedy: "farebox crds | kubectl apply -f -")
        }
        return DoctorFinding("Kinds", .good, "functions, repositories and receipts are known")
    }

    /// How a process of the installation is; the Deployment is nil where there is none.
    static func process(_ name: String, _ deployment: JSONValue?, isNeeded: Bool) -> DoctorFinding? {
        guard let deployment else {
            guard isNeeded else { return nil }
            return DoctorFinding(
                name, .bad, "is not installed", remedy: "kubectl apply -k your-overlay (docs/admin.md, Install)")
        }
        let wanted = deployment[path: "spec", "replicas"]?.integerValue ?? 1
        let available = deployment[path: "status", "availableReplicas"]?.integerValue ?? 0
        let text = "\(available) of \(wanted) replicas are available"
        guard available > 0 else {
            return DoctorFinding(
                name, .bad, text, remedy: "kubectl describe deployment farebox-\(name) -n \(Cluster.systemNamespace)")
        }
        guard available >= wanted else {
            return DoctorFinding(
                name, .warning, text, remedy: "kubectl get pods -n \(Cluster.systemNamespace)")
        }
        return DoctorFinding(name, .good, text)
    }

    /// The sandbox of functions.
    ///
    /// - Parameters:
    ///   - configured: The section `functions` of the configuration.
    ///   - classes: The RuntimeClasses there are.
    static func sandbox(_ configured: JSONValue?, classes: [String]) -> DoctorFinding {
        let list = classes.isEmpty ? "there is none" : "there are: " + classes.prefix(10).joined(separator: ", ")
        let setting = configured?["runtimeClassName"]
        if let setting, setting.isNull {
            return DoctorFinding(
                "Sandbox", .warning, "functions that name no RuntimeClass run without a sandbox (\(list))",
                remedy: "install one, such as gVisor, and set functions.runtimeClassName")
        }
        let name = setting?.stringValue ?? "gvisor"
        guard classes.contains(name) else {
            return DoctorFinding(
                "Sandbox", .bad, "the RuntimeClass \(TerminalText.line(name)) does not exist (\(list))",
                remedy: "make it, or name another in functions.runtimeClassName: without it no function runs")
        }
        return DoctorFinding("Sandbox", .good, "functions run in the RuntimeClass \(TerminalText.line(name))")
    }

    /// The registry that images go to.
    static func registry(_ configured: JSONValue?, hasCredentials: Bool) -> DoctorFinding {
        guard let push = configured?["push"]?.stringValue, !push.isEmpty else {
            return DoctorFinding(
                "Registry", .bad, "registry.push is not set", remedy: "set it in farebox.yaml (docs/admin.md)")
        }
        guard hasCredentials else {
            return DoctorFinding(
                "Registry", .warning,
                "images go to \(TerminalText.line(push)), and there is no Secret farebox-registry",
                remedy: "if it wants a password: kubectl create secret docker-registry farebox-registry "
                    + "-n \(Cluster.systemNamespace) …")
        }
        return DoctorFinding("Registry", .good, "images go to \(TerminalText.line(push))")
    }

    /// Whether something answers behind a Service, asked through the API server.
    ///
    /// - Parameter status: The answer's status; nil for none.
    static func service(_ check: String, _ service: String, status: Int?) -> DoctorFinding {
        guard let status, status < 500 else {
            return DoctorFinding(
                check, .bad, "nothing answers behind the Service \(service)" + (status.map { " (\($0))" } ?? ""),
                remedy: "kubectl get endpoints \(service) -n \(Cluster.systemNamespace)")
        }
        return DoctorFinding(check, .good, "the Service \(service) answers")
    }

    /// Whether a Git host would reach the webhook from outside.
    ///
    /// - Parameters:
    ///   - url: Where it would send to.
    ///   - status: The answer to an event without a signature; nil for none.
    static func webhook(_ url: String, status: Int?) -> DoctorFinding {
        let url = TerminalText.line(url)
        switch status {
        case 400?, 401?, 403?:
            return DoctorFinding("Webhook", .good, "\(url) refuses an event without a signature, as it should")
        case let status?:
            return DoctorFinding(
                "Webhook", .bad, "\(url) answers \(status) to an event without a signature: something else is there",
                remedy: "lead the address to the Service farebox-webhook, with the path /github")
        case nil:
            return DoctorFinding(
                "Webhook", .bad, "\(url) does not answer from here",
                remedy: "give the Service farebox-webhook a way in (docs/admin.md, Install)")
        }
    }

    /// What two pods of a probe found: one that may connect, and one that a policy keeps from it.
    static func policies(free: PolicyProbe.Report?, denied: PolicyProbe.Report?) -> DoctorFinding {
        guard let free, let denied else {
            return DoctorFinding(
                "Policies", .unknown, "the probe's pods did not end in time",
                remedy: "see why: kubectl get events -n \(Cluster.systemNamespace)")
        }
        guard free.hasReached else {
            return DoctorFinding(
                "Policies", .unknown, "a pod that may connect to the gateway does not reach it",
                remedy: "see whether the gateway runs, then try again")
        }
        guard !denied.hasReached else {
            return DoctorFinding(
                "Policies", .bad, "a pod connects although a NetworkPolicy forbids it: nothing enforces them",
                remedy: "install a network plugin that does; functions have no fence without it")
        }
        return DoctorFinding("Policies", .good, "a NetworkPolicy keeps a pod from connecting")
    }

    /// Whether the node of a probe lets rootless BuildKit make user namespaces.
    static func builds(_ report: PolicyProbe.Report?) -> DoctorFinding {
        guard let report, let namespaces = report.userNamespacesMaximum else {
            return DoctorFinding("Builds", .unknown, "no node could be looked at")
        }
        guard namespaces > 0 else {
            return DoctorFinding(
                "Builds", .bad, "the node \(report.node) lets nobody make user namespaces",
                remedy: "sysctl -w user.max_user_namespaces=28633 on the nodes that build")
        }
        guard !report.isRestricted else {
            return DoctorFinding(
                "Builds", .bad, "AppArmor on the node \(report.node) lets only root make user namespaces",
                remedy: "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 on the nodes that build")
        }
        return DoctorFinding("Builds", .good, "the node \(report.node) lets rootless BuildKit make user namespaces")
    }
}
