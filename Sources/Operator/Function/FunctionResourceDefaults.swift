public import KubernetesTypes

/// Requests and limits of functions that set none, and the limits that no function sets.
public struct FunctionResourceDefaults: Codable, Hashable, Sendable {
    /// Processor time set aside for a replica.
    public var cpuRequest = Quantity.literal("50m")
    /// Memory set aside for a replica; a gVisor sandbox alone takes about 34 MiB.
    public var memoryRequest = Quantity.literal("64Mi")
    /// Processor time a replica never exceeds.
    public var cpuLimit = Quantity.literal("500m")
    /// Memory a replica never exceeds.
    public var memoryLimit = Quantity.literal("256Mi")
    /// Disk set aside for a replica's logs and /tmp.
    public var storageRequest = Quantity.literal("32Mi")
    /// Disk a replica never exceeds; it is evicted when it does.
    public var storageLimit = Quantity.literal("256Mi")
    /// The size of /tmp.
    public var temporaryLimit = Quantity.literal("64Mi")
    /// The greatest limits a function may set.
    public var cpuMaximum = Quantity.literal("4")
    /// The greatest memory limit a function may set.
    public var memoryMaximum = Quantity.literal("4Gi")

    /// The greatest number of replicas that a stack file may ask for.
    public var replicasMaximum: Int32 = 20

    /// Makes the defaults.
    public init() {}

    /// Decodes defaults; absent fields keep theirs.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func value(_ key: CodingKeys, _ absent: Quantity) throws -> Quantity {
            try container.decodeIfPresent(Quantity.self, forKey: key) ?? absent
        }
        let defaults = FunctionResourceDefaults()
        cpuRequest = try value(.cpuRequest, defaults.cpuRequest)
        memoryRequest = try value(.memoryRequest, defaults.memoryRequest)
        cpuLimit = try value(.cpuLimit, defaults.cpuLimit)
        memoryLimit = try value(.memoryLimit, defaults.memoryLimit)
        storageRequest = try value(.storageRequest, defaults.storageRequest)
        storageLimit = try value(.storageLimit, defaults.storageLimit)
        temporaryLimit = try value(.temporaryLimit, defaults.temporaryLimit)
        cpuMaximum = try value(.cpuMaximum, defaults.cpuMaximum)
        memoryMaximum = try value(.memoryMaximum, defaults.memoryMaximum)
        replicasMaximum =
            try container.decodeIfPresent(Int32.self, forKey: .replicasMaximum) ?? defaults.replicasMaximum
    }

    /// Returns what is wrong with the defaults, one sentence each.
    func validate() -> [String] {
        let pairs: [(String, Quantity, Quantity)] = [
            ("cpuRequest", cpuRequest, cpuLimit), ("memoryRequest", memoryRequest, memoryLimit),
            ("storageRequest", storageRequest, storageLimit), ("temporaryLimit", temporaryLimit, storageLimit),
            ("cpuLimit", cpuLimit, cpuMaximum), ("memoryLimit", memoryLimit, memoryMaximum),
        ]
        let replicas = (1...1000).contains(replicasMaximum) ? [] : ["resources.replicasMaximum: must be from 1 to 1000"]
        return replicas
            + pairs.filter { $0.1 > $0.2 || $0.1.isNegative }.map {
                "resources.\($0.0): \($0.1) must be from 0 to \($0.2)"
            }
    }
}

extension Quantity {
    /// Makes a quantity from text in our own code.
    static func literal(_ text: StaticString) -> Quantity {
        guard let quantity = Quantity("\(text)") else { preconditionFailure("\(text) is no quantity") }
        return quantity
    }
}
