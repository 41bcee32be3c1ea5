/// Keys of labels and annotations that a tenant may never put on a pod, whatever the configuration lists.
///
/// They would give the pod a part in the platform: network policies, Services and admission plugins select by them.
public enum ReservedMetadata {
    /// Whether a key is reserved: Farebox's and Kubernetes' groups with their subdomains, and the plain keys by which
    /// platforms assign roles.
    public static func isReserved(_ key: String) -> Bool {
        let prefix = LabelKey.prefix(key)
        if prefix.isEmpty { return plainKeys.contains(key) }
        return groups.contains { prefix == $0 || prefix.hasSuffix("." + $0) }
    }

    private static let groups = ["farebox.dev", "kubernetes.io", "k8s.io", "istio.io", "linkerd.io", "cilium.io"]
    private static let plainKeys: Set<String> = [
        "role", "app", "component", "k8s-app", "faas_function", "pod-template-hash", "controller-revision-hash",
    ]
}
