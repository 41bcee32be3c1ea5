/// Addresses behind a Service, version 1 of the API (Kubernetes 1.21 and newer).
///
/// Source: Kubernetes API, `discovery.k8s.io/v1` EndpointSlice.
public struct EndpointSlice: KubernetesResource, Hashable {
    /// `endpointslices.discovery.k8s.io`, v1.
    public static let descriptor = ResourceDescriptor(
        group: "discovery.k8s.io", version: "v1", kind: "EndpointSlice", plural: "endpointslices")

    /// Name, labels and the like; the label `kubernetes.io/service-name` names the Service.
    public var metadata: ObjectMeta
    /// `IPv4`, `IPv6` or `FQDN`.
    @OmitEmpty public var addressType: String
    /// The addresses.
    @OmitEmpty public var endpoints: [Endpoint]
    /// The ports that hold for every endpoint of this slice.
    @OmitEmpty public var ports: [EndpointPort]

    /// Makes a slice.
    public init(
        metadata: ObjectMeta, addressType: String = "IPv4", endpoints: [Endpoint] = [], ports: [EndpointPort] = []
    ) {
        self.metadata = metadata
        self.addressType = addressType
        self.endpoints = endpoints
        self.ports = ports
    }

    /// The label that names the Service a slice belongs to.
    public static let serviceNameLabel = "kubernetes.io/service-name"
}

/// The same slice as Kubernetes 1.17 to 1.24 serve it under `v1beta1`.
///
/// The fields that Farebox reads have the same names and meaning in both versions; convert with ``slice``.
public struct EndpointSliceV1Beta1: KubernetesResource, Hashable {
    /// `endpointslices.discovery.k8s.io`, v1beta1.
    public static let descriptor = ResourceDescriptor(
        group: "discovery.k8s.io", version: "v1beta1", kind: "EndpointSlice", plural: "endpointslices")

    /// Name, labels and the like.
    public var metadata: ObjectMeta
    /// `IPv4`, `IPv6` or `FQDN`.
    @OmitEmpty public var addressType: String
    /// The addresses.
    @OmitEmpty public var endpoints: [Endpoint]
    /// The ports that hold for every endpoint of this slice.
    @OmitEmpty public var ports: [EndpointPort]

    /// The slice as version 1 has it.
    public var slice: EndpointSlice {
        EndpointSlice(metadata: metadata, addressType: addressType, endpoints: endpoints, ports: ports)
    }
}

/// One pod behind a Service.
public struct Endpoint: Codable, Hashable, Sendable {
    /// Its addresses, all of the slice's address type; clients use the first.
    @OmitEmpty public var addresses: [String]
    /// Whether it may receive calls.
    public var conditions: EndpointConditions?
    /// The pod.
    public var targetRef: ObjectReference?
    /// The node that runs it (`v1` only; `v1beta1` servers of 1.20 send it too).
    public var nodeName: String?
    /// The zone that runs it (`v1` only; see ``topology``).
    public var zone: String?
    /// Labels of the node that runs it (`v1beta1` only).
    public var topology: [String: String]?

    /// Makes an endpoint.
    public init(addresses: [String], conditions: EndpointConditions? = nil) {
        self.addresses = addresses
        self.conditions = conditions
    }

    /// The zone that runs it, in either version.
    public var place: String? { zone ?? topology?[Node.zoneLabel] }

    /// Whether new calls may go there: an absent condition counts as ready, as the API page demands.
    public var isReady: Bool { conditions?.ready ?? true }
}

/// Whether an endpoint may receive calls.
public struct EndpointConditions: Codable, Hashable, Sendable {
    /// New calls may go there; absent means unknown and counts as yes.
    public var ready: Bool?
    /// It still answers, though it may be ending (Kubernetes 1.20 behind a gate, 1.22 and newer).
    public var serving: Bool?
    /// It is ending (Kubernetes 1.20 behind a gate, 1.22 and newer).
    public var terminating: Bool?

    /// Makes conditions.
    public init(ready: Bool? = nil, serving: Bool? = nil, terminating: Bool? = nil) {
        self.ready = ready
        self.serving = serving
        self.terminating = terminating
    }
}

/// A port of every endpoint of a slice.
public struct EndpointPort: Codable, Hashable, Sendable {
    /// The Service port's name.
    public var name: String?
    /// The number; absent means all ports.
    public var port: Int32?
    /// `TCP`, `UDP` or `SCTP`.
    public var `protocol`: String?

    /// Makes a port.
    public init(name: String? = nil, port: Int32?, protocol: String? = nil) {
        self.name = name
        self.port = port
        self.protocol = `protocol`
    }
}
