/// Where the autoscaler finds functions and gateways.
public struct AutoscalerConfiguration: Sendable {
    /// The namespace of the functions; nil means all of them.
    public var namespace: String?
    /// The namespace of the gateways.
    public var gatewayNamespace = "farebox-system"
    /// The Service whose endpoints the gateways are.
    public var gatewayService = "farebox-gateway"
    /// The internal port of each gateway.
    public var gatewayPort: UInt16 = 9090
    /// Between two rounds: three fit into the window in which a sudden rise is seen.
    public var interval = Duration.seconds(2)

    /// Takes the defaults given above.
    public init() {}
}
