public import KubernetesTypes

/// A function: an image that runs in a sandbox, behind a network policy, at a URL.
///
/// The fields are described where the schema is: `Function+Schema.swift`, shown by `kubectl explain function.spec`.
public struct Function: KubernetesResource, Hashable {
    /// `functions.farebox.dev`, v1alpha1.
    public static let descriptor = ResourceDescriptor(
        group: FareboxLabel.group, version: "v1alpha1", kind: "Function", plural: "functions")

    /// Name, labels and the like.
    public var metadata: ObjectMeta
    /// What should run, and how.
    public var spec: FunctionSpec
    /// What runs.
    public var status: FunctionStatus?

    /// Makes a function.
    public init(metadata: ObjectMeta, spec: FunctionSpec, status: FunctionStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }

    /// The owner and the function's name inside it; `nil` when the object names no owner.
    public var identity: FunctionIdentity? { FunctionIdentity(of: metadata) }

    /// The name of the Service in front of the function's pods.
    ///
    /// It is the function's own name, except that a Service's name begins with a letter (RFC 1035) and a function's may
    /// begin with a digit: then `fn-` stands before it.
    public var serviceName: String {
        DNSName.isServiceName(metadata.name) ? metadata.name : "fn-" + metadata.name
    }

    /// Whether the function goes to zero when nobody calls it for `spec.scale.idleAfter`, and the next call starts it.
    ///
    /// One without that time that somebody scaled to zero is stopped: no call starts it.
    public var canSleep: Bool {
        spec.suspend != true && spec.scale?.idleAfter != nil && (spec.scale?.min ?? FunctionScale.minDefault) <= 0
    }

    /// Whether the number of replicas follows the calls, in whichever way.
    public var scalesByItself: Bool { canSleep || (spec.suspend != true && spec.scale?.targetConcurrency != nil) }

    /// How many replicas should run: `spec.replicas`, brought into the range of `spec.scale`; none while it is suspended.
    public var desiredReplicas: Int32 {
        guard spec.suspend != true else { return 0 }
        let least = max(spec.scale?.min ?? FunctionScale.minDefault, 0)
        let most = max(spec.scale?.max ?? Int32.max, least)
        return Swift.min(Swift.max(spec.replicas ?? FunctionSpec.replicasDefault, least), most)
    }
}
