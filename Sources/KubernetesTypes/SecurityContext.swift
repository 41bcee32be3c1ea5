/// What a container's processes may do.
///
/// Source: Kubernetes API, `core/v1` SecurityContext.
public struct SecurityContext: Codable, Hashable, Sendable {
    /// Refuses to start as uid 0.
    public var runAsNonRoot: Bool?
    /// The uid of the first process.
    public var runAsUser: Int64?
    /// The gid of the first process.
    public var runAsGroup: Int64?
    /// Whether a process may gain more than its parent has; false sets `no_new_privs`.
    public var allowPrivilegeEscalation: Bool?
    /// Whether the root file system is read-only.
    public var readOnlyRootFilesystem: Bool?
    /// Whether the container runs with all rights of the node.
    public var privileged: Bool?
    /// Linux capabilities taken away and given.
    public var capabilities: Capabilities?
    /// System calls the processes may use.
    public var seccompProfile: SeccompProfile?

    /// Makes a context that says nothing yet.
    public init() {}
}

/// Linux capabilities by name without `CAP_`; `ALL` is every one.
public struct Capabilities: Codable, Hashable, Sendable {
    /// Given beyond the runtime's default.
    @OmitEmpty public var add: [String]
    /// Taken away.
    @OmitEmpty public var drop: [String]

    /// Makes a change of the runtime's default.
    public init(add: [String] = [], drop: [String] = []) {
        self.add = add
        self.drop = drop
    }
}

/// System calls the processes may use.
public struct SeccompProfile: Codable, Hashable, Sendable {
    /// `RuntimeDefault`, `Localhost` or `Unconfined`.
    public var type: String
    /// The profile's file on the node, for `Localhost` only.
    public var localhostProfile: String?

    /// Makes a profile.
    public init(type: String, localhostProfile: String? = nil) {
        self.type = type
        self.localhostProfile = localhostProfile
    }

    /// The container runtime's own profile.
    public static let runtimeDefault = SeccompProfile(type: "RuntimeDefault")
    /// No filter at all.
    public static let unconfined = SeccompProfile(type: "Unconfined")
}

/// What holds for all containers of a pod unless one says otherwise.
///
/// Source: Kubernetes API, `core/v1` PodSecurityContext.
public struct PodSecurityContext: Codable, Hashable, Sendable {
    /// Refuses to start as uid 0.
    public var runAsNonRoot: Bool?
    /// The uid of first processes.
    public var runAsUser: Int64?
    /// The gid of first processes.
    public var runAsGroup: Int64?
    /// The group that owns the pod's volumes.
    public var fsGroup: Int64?
    /// `Always` or `OnRootMismatch`.
    public var fsGroupChangePolicy: String?
    /// System calls the processes may use.
    public var seccompProfile: SeccompProfile?

    /// Makes a context that says nothing yet.
    public init() {}
}
