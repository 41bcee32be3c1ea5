/// The identity that a pod has towards the API server.
///
/// Source: Kubernetes API, `core/v1` ServiceAccount.
public struct ServiceAccount: KubernetesResource, Hashable {
    /// `serviceaccounts`, core group.
    public static let descriptor = ResourceDescriptor(
        version: "v1", kind: "ServiceAccount", plural: "serviceaccounts")

    /// Name, labels and the like.
    public var metadata: ObjectMeta
    /// Whether pods mount the account's token unless they say otherwise.
    public var automountServiceAccountToken: Bool?

    /// Makes an account.
    public init(metadata: ObjectMeta, automountServiceAccountToken: Bool? = nil) {
        self.metadata = metadata
        self.automountServiceAccountToken = automountServiceAccountToken
    }
}
