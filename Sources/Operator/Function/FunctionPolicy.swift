import CRDs
import KubernetesTypes

/// The rules for a Function that depend on the cluster's configuration.
struct FunctionPolicy: Sendable {
    let configuration: FunctionClusterConfiguration

    /// Returns everything the Function breaks: its own rules first, then the cluster's.
    func violations(of function: Function) -> [Violation] {
        let own = function.validate(
            allowsPointerPorts: configuration.payments?.allowsPointerPorts ?? false)
        // A field that is malformed is told once, by the first set of rules.
        let paths = Set(own.map(\.path))
        let cluster = metadata(function.spec) + egress(function.spec) + resources(function.spec)
        return own + cluster.filter { !paths.contains($0.path) }
    }

    private func metadata(_ spec: FunctionSpec) -> [Violation] {
        func check(_ field: String, _ keys: some Sequence<String>, _ allowed: [String]) -> [Violation] {
            keys.sorted().filter { key in !allowed.contains { Self.matches(key, $0) } }.map {
                Violation(
                    path: "spec.\(field).\($0)",
                    message: """
                        is not among the keys this cluster allows (\(allowed.joined(separator: ", "))); leave it out, or ask \
                        the administrator to add it to the configuration
                        """)
            }
        }
        return check("labels", spec.labels.keys, configuration.allowedLabels)
            + check("annotations", spec.annotations.keys, configuration.allowedAnnotations)
    }

    private static func matches(_ key: String, _ pattern: String) -> Bool {
        pattern.hasSuffix("*") ? key.hasPrefix(pattern.dropLast()) : key == pattern
    }

    private func egress(_ spec: FunctionSpec) -> [Violation] {
        guard case .ranges(let texts) = spec.egress else { return [] }
        return texts.enumerated().compactMap { index, text in
            guard let range = AddressRange(text), !allows(range) else { return nil }
            return Violation(
                path: "spec.egress[\(index)]",
                message: """
                    \(text) is private, or belongs to the cluster or another special network; name public addresses, or ask \
                    the administrator to allow the range in the configuration
                    """)
        }
    }

    /// Whether a function may list a range: one inside an excluded range needs the configuration's word; a wider one is
    /// cut when it is rendered.
    private func allows(_ range: AddressRange) -> Bool {
        let network = configuration.network
        if network.allowedPrivateCIDRs.contains(where: { $0.contains(range) }) { return true }
        return !(PublicInternet.excluded + network.clusterCIDRs).contains { $0.contains(range) }
    }

    private func resources(_ spec: FunctionSpec) -> [Violation] {
        let defaults = configuration.resources
        let checks: [(String, Quantity?, Quantity)] = [
            ("limits.cpu", spec.resources?.limits?.cpu, defaults.cpuMaximum),
            ("limits.memory", spec.resources?.limits?.memory, defaults.memoryMaximum),
            ("requests.cpu", spec.resources?.requests?.cpu, defaults.cpuMaximum),
            ("requests.memory", spec.resources?.requests?.memory, defaults.memoryMaximum),
        ]
        return checks.compactMap { field, amount, maximum in
            guard let amount, amount > maximum else { return nil }
            return Violation(
                path: "spec.resources.\(field)", message: "\(amount) is above this cluster's maximum of \(maximum)")
        }
    }
}
