/// A claim to lead, renewed while it holds.
///
/// Source: Kubernetes API, `coordination.k8s.io/v1` Lease.
public struct Lease: KubernetesResource, Hashable {
    /// `leases` of `coordination.k8s.io/v1`.
    public static let descriptor = ResourceDescriptor(
        group: "coordination.k8s.io", version: "v1", kind: "Lease", plural: "leases")

    /// The object's metadata.
    public var metadata: ObjectMeta
    /// Who holds it and since when.
    public var spec: Spec

    /// Makes a lease.
    public init(metadata: ObjectMeta, spec: Spec = Spec()) {
        self.metadata = metadata
        self.spec = spec
    }

    private enum CodingKeys: CodingKey { case metadata, spec }

    /// Decodes a lease; the server leaves an empty `spec` out.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        metadata = try container.decode(ObjectMeta.self, forKey: .metadata)
        spec = try container.decodeIfPresent(Spec.self, forKey: .spec) ?? Spec()
    }

    /// Who holds a lease and since when.
    public struct Spec: Codable, Hashable, Sendable {
        /// Who holds it; empty when nobody does.
        @OmitEmpty public var holderIdentity: String
        /// For how many seconds after a renewal it is held, at least 1.
        public var leaseDurationSeconds: Int32?
        /// When the present holder got it.
        public var acquireTime: MicroTime?
        /// When the present holder renewed it last, by the holder's clock.
        public var renewTime: MicroTime?
        /// How often it changed hands.
        public var leaseTransitions: Int32?

        /// Makes a lease's state.
        public init(
            holderIdentity: String = "", leaseDurationSeconds: Int32? = nil, acquireTime: MicroTime? = nil,
            renewTime: MicroTime? = nil, leaseTransitions: Int32? = nil
        ) {
            self.holderIdentity = holderIdentity
            self.leaseDurationSeconds = leaseDurationSeconds
            self.acquireTime = acquireTime
            self.renewTime = renewTime
            self.leaseTransitions = leaseTransitions
        }
    }
}
