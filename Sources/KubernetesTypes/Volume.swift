/// A directory that a pod's containers can mount: exactly one source is set.
///
/// Source: Kubernetes API, `core/v1` Volume.
public struct Volume: Codable, Hashable, Sendable {
    /// The volume's name, unique in its pod.
    public var name: String
    /// A directory that begins empty and goes with the pod.
    public var emptyDir: EmptyDirVolumeSource?
    /// The keys of one Secret as files.
    public var secret: SecretVolumeSource?
    /// The keys of one ConfigMap as files.
    public var configMap: ConfigMapVolumeSource?
    /// Several sources in one directory.
    public var projected: ProjectedVolumeSource?

    /// Makes a volume that begins empty.
    public init(name: String, emptyDir: EmptyDirVolumeSource) {
        self.name = name
        self.emptyDir = emptyDir
    }

    /// Makes a volume with the keys of a Secret.
    public init(name: String, secret: SecretVolumeSource) {
        self.name = name
        self.secret = secret
    }

    /// Makes a volume with the keys of a ConfigMap.
    public init(name: String, configMap: ConfigMapVolumeSource) {
        self.name = name
        self.configMap = configMap
    }

    /// Makes a volume from several sources.
    public init(name: String, projected: ProjectedVolumeSource) {
        self.name = name
        self.projected = projected
    }
}

/// A directory that begins empty.
public struct EmptyDirVolumeSource: Codable, Hashable, Sendable {
    /// `Memory`, or absent for the node's disk.
    public var medium: String?
    /// A pod that writes more is evicted.
    public var sizeLimit: Quantity?

    /// Makes a directory.
    public init(medium: String? = nil, sizeLimit: Quantity? = nil) {
        self.medium = medium
        self.sizeLimit = sizeLimit
    }
}

/// The keys of one Secret.
public struct SecretVolumeSource: Codable, Hashable, Sendable {
    /// The Secret's name in the pod's namespace.
    public var secretName: String
    /// Keys to show and the paths they get; all keys when empty.
    @OmitEmpty public var items: [KeyToPath]
    /// Permission bits of the files.
    public var defaultMode: Int32?
    /// Whether the pod starts without the Secret.
    public var optional: Bool?

    /// Shows a Secret's keys.
    public init(secretName: String, items: [KeyToPath] = [], defaultMode: Int32? = nil, optional: Bool? = nil) {
        self.secretName = secretName
        self.items = items
        self.defaultMode = defaultMode
        self.optional = optional
    }
}

/// The keys of one ConfigMap.
public struct ConfigMapVolumeSource: Codable, Hashable, Sendable {
    /// The ConfigMap's name in the pod's namespace.
    public var name: String
    /// Keys to show and the paths they get; all keys when empty.
    @OmitEmpty public var items: [KeyToPath]
    /// Permission bits of the files.
    public var defaultMode: Int32?
    /// Whether the pod starts without the ConfigMap.
    public var optional: Bool?

    /// Shows a ConfigMap's keys.
    public init(name: String, items: [KeyToPath] = [], defaultMode: Int32? = nil, optional: Bool? = nil) {
        self.name = name
        self.items = items
        self.defaultMode = defaultMode
        self.optional = optional
    }
}

/// A key of a Secret or ConfigMap and the path of its file.
public struct KeyToPath: Codable, Hashable, Sendable {
    /// The key.
    public var key: String
    /// The path inside the volume.
    public var path: String
    /// Permission bits of this file.
    public var mode: Int32?

    /// Makes a mapping.
    public init(key: String, path: String, mode: Int32? = nil) {
        self.key = key
        self.path = path
        self.mode = mode
    }
}

/// Several sources in one directory.
public struct ProjectedVolumeSource: Codable, Hashable, Sendable {
    /// The sources, later ones on top.
    public var sources: [VolumeProjection]
    /// Permission bits of the files.
    public var defaultMode: Int32?

    /// Makes a projection.
    public init(sources: [VolumeProjection], defaultMode: Int32? = nil) {
        self.sources = sources
        self.defaultMode = defaultMode
    }
}

/// One source of a projected volume.
public struct VolumeProjection: Codable, Hashable, Sendable {
    /// The keys of a Secret.
    public var secret: SecretProjection?

    /// Projects a Secret.
    public init(secret: SecretProjection) {
        self.secret = secret
    }
}

/// The keys of a Secret in a projected volume.
public struct SecretProjection: Codable, Hashable, Sendable {
    /// The Secret's name in the pod's namespace.
    public var name: String
    /// Keys to show and the paths they get; all keys when empty.
    @OmitEmpty public var items: [KeyToPath]
    /// Whether the pod starts without the Secret.
    public var optional: Bool?

    /// Projects a Secret.
    public init(name: String, items: [KeyToPath] = [], optional: Bool? = nil) {
        self.name = name
        self.items = items
        self.optional = optional
    }
}

/// Where a container sees a volume.
public struct VolumeMount: Codable, Hashable, Sendable {
    /// The volume's name.
    public var name: String
    /// The directory in the container.
    public var mountPath: String
    /// A path inside the volume in place of its root.
    @OmitEmpty public var subPath: String
    /// Whether the container may not write.
    public var readOnly: Bool?

    /// Makes a mount.
    public init(name: String, mountPath: String, subPath: String = "", readOnly: Bool? = nil) {
        self.name = name
        self.mountPath = mountPath
        self.subPath = subPath
        self.readOnly = readOnly
    }
}
