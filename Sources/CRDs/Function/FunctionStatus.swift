public import KubernetesTypes

/// What runs of a function.
public struct FunctionStatus: Codable, Hashable, Sendable {
    /// The generation of the spec that this was computed from.
    public var observedGeneration: Int64?
    /// Where to call the function.
    public var url: String?
    /// The domains of the function's own that lead to it.
    @OmitEmpty public var domains: [String]
    /// The domains that it has shown by DNS records to be its own, where the cluster takes that for a proof.
    @OmitEmpty public var domainProofs: [DomainProof]
    /// The image in use, pinned to its digest.
    public var image: String?
    /// The commit the image was built from.
    public var commit: String?
    /// The sandbox in use.
    public var runtimeClassName: String?
    /// Replicas there are, old and new.
    public var replicas: Int32?
    /// Replicas that take calls.
    public var availableReplicas: Int32?
    /// The label selector of the pods, for the scale subresource.
    public var selector: String?
    /// What was paid and not yet used, in the asset's minor unit.
    public var balance: String?
    /// Calls that the balance and the bonus still pay for.
    public var remainingCalls: Int64?
    /// `Ready`, `Available` and others.
    @OmitEmpty public var conditions: [Condition]

    /// Makes a status in which nothing is known.
    public init() {
        domains = []
        domainProofs = []
        conditions = []
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case observedGeneration, url, domains, domainProofs, image, commit, runtimeClassName, replicas,
            availableReplicas
        case selector, balance, remainingCalls, conditions
    }
}
