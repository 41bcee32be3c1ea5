/// One container of a pod: the fields that Farebox renders or reads.
///
/// Source: Kubernetes API, `core/v1` Container.
public struct Container: Codable, Hashable, Sendable {
    /// The container's name, unique in its pod.
    public var name: String
    /// The image to run.
    @OmitEmpty public var image: String
    /// `Always`, `IfNotPresent` or `Never`.
    public var imagePullPolicy: String?
    /// The program, in place of the image's entry point.
    @OmitEmpty public var command: [String]
    /// The program's arguments, in place of the image's.
    @OmitEmpty public var args: [String]
    /// The working directory, in place of the image's.
    @OmitEmpty public var workingDir: String
    /// Ports that the container listens on.
    @OmitEmpty public var ports: [ContainerPort]
    /// Environment variables.
    @OmitEmpty public var env: [EnvironmentVariable]
    /// What the container asks for and may use at most.
    public var resources: ResourceRequirements?
    /// Volumes that the container sees.
    @OmitEmpty public var volumeMounts: [VolumeMount]
    /// Until this one succeeds the other probes do not run.
    public var startupProbe: Probe?
    /// Whether the container may receive calls.
    public var readinessProbe: Probe?
    /// Whether the container must be restarted.
    public var livenessProbe: Probe?
    /// The file whose content becomes the termination message; the server's default is `/dev/termination-log`.
    public var terminationMessagePath: String?
    /// `File` or `FallbackToLogsOnError`.
    public var terminationMessagePolicy: String?
    /// What the container's processes may do.
    public var securityContext: SecurityContext?

    /// Makes a container that still lacks everything but its name and image.
    public init(name: String, image: String) {
        self.name = name
        self.image = image
        command = []
        args = []
        workingDir = ""
        ports = []
        env = []
        volumeMounts = []
    }
}

/// A port that a container listens on.
public struct ContainerPort: Codable, Hashable, Sendable {
    /// A name that Services and probes can use; at most 15 characters.
    @OmitEmpty public var name: String
    /// The number, 1 to 65535.
    public var containerPort: Int32
    /// `TCP`, `UDP` or `SCTP`.
    public var `protocol`: String?

    /// Makes a port.
    public init(name: String = "", containerPort: Int32, protocol: String? = nil) {
        self.name = name
        self.containerPort = containerPort
        self.protocol = `protocol`
    }
}

/// An environment variable of a container.
public struct EnvironmentVariable: Codable, Hashable, Sendable {
    /// The variable's name.
    public var name: String
    /// Its plain value; `$(OTHER)` is expanded by the kubelet unless written `$$(OTHER)`.
    public var value: String?
    /// Where else the value comes from; excludes ``value``.
    public var valueFrom: EnvironmentVariableSource?

    /// Makes a variable with a plain value.
    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }

    /// Makes a variable whose value comes from a field or a Secret.
    public init(name: String, valueFrom: EnvironmentVariableSource) {
        self.name = name
        self.valueFrom = valueFrom
    }
}

/// Where an environment variable's value comes from: exactly one is set.
public struct EnvironmentVariableSource: Codable, Hashable, Sendable {
    /// A key of a Secret in the pod's namespace.
    public var secretKeyRef: KeySelector?
    /// A key of a ConfigMap in the pod's namespace.
    public var configMapKeyRef: KeySelector?
    /// A field of the pod, such as `metadata.name`.
    public var fieldRef: ObjectFieldSelector?

    /// Takes the value from a key of a Secret.
    public static func secret(_ name: String, key: String, optional: Bool? = nil) -> EnvironmentVariableSource {
        var source = EnvironmentVariableSource()
        source.secretKeyRef = KeySelector(name: name, key: key, optional: optional)
        return source
    }

    /// Takes the value from a field of the pod.
    public static func field(_ path: String) -> EnvironmentVariableSource {
        var source = EnvironmentVariableSource()
        source.fieldRef = ObjectFieldSelector(fieldPath: path)
        return source
    }

    private init() {}
}

/// One key of a Secret or ConfigMap.
public struct KeySelector: Codable, Hashable, Sendable {
    /// The object's name.
    public var name: String
    /// The key in its data.
    public var key: String
    /// Whether the pod starts without it.
    public var optional: Bool?

    /// Selects a key.
    public init(name: String, key: String, optional: Bool? = nil) {
        self.name = name
        self.key = key
        self.optional = optional
    }
}

/// A field of the pod itself.
public struct ObjectFieldSelector: Codable, Hashable, Sendable {
    /// The path, such as `metadata.namespace`.
    public var fieldPath: String

    /// Selects a field.
    public init(fieldPath: String) {
        self.fieldPath = fieldPath
    }
}

/// What a container asks for and may use at most.
public struct ResourceRequirements: Codable, Hashable, Sendable {
    /// Amounts the scheduler sets aside, by resource (`cpu`, `memory`, `ephemeral-storage`).
    @OmitEmpty public var requests: [String: Quantity]
    /// Amounts never exceeded, by resource.
    @OmitEmpty public var limits: [String: Quantity]

    /// Makes requirements.
    public init(requests: [String: Quantity] = [:], limits: [String: Quantity] = [:]) {
        self.requests = requests
        self.limits = limits
    }
}
