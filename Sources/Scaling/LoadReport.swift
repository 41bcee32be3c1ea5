public import KubernetesTypes

/// What one gateway tells the operator about the load of the functions that scale by it, as JSON on its internal port.
///
/// A function that is not among them has had no call since the gateway started.
public struct LoadReport: Codable, Sendable, Equatable {
    /// Where a gateway tells it.
    public static let path = "/load"

    /// Names the process, and no other: its counts begin with it.
    public let gateway: String
    /// How long it runs, by a clock that never jumps.
    public let uptimeSeconds: Double
    /// Functions that had a call.
    public let functions: [FunctionLoad]

    /// Makes a report.
    public init(gateway: String, uptimeSeconds: Double, functions: [FunctionLoad]) {
        self.gateway = gateway
        self.uptimeSeconds = uptimeSeconds
        self.functions = functions
    }
}

/// The load of one function at one gateway.
public struct FunctionLoad: Codable, Sendable, Equatable {
    /// The function's namespace.
    public let namespace: String
    /// The function's name.
    public let name: String
    /// Calls under way, those that wait for an instance included.
    public let inFlight: Int
    /// The sum of the times of all calls so far, those under way included.
    ///
    /// What it grows by in a second is the mean number of calls at once during that second, however short they are.
    public let busySeconds: Double
    /// How long no call was under way; 0 while one is.
    public let idleSeconds: Double

    /// Makes a load.
    public init(namespace: String, name: String, inFlight: Int, busySeconds: Double, idleSeconds: Double) {
        self.namespace = namespace
        self.name = name
        self.inFlight = inFlight
        self.busySeconds = busySeconds
        self.idleSeconds = idleSeconds
    }

    /// The function.
    public var key: ObjectKey { ObjectKey(namespace: namespace, name: name) }
}
