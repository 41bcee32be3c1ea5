public import AsyncCalls
import Telemetry

/// How the gateway listens and routes: the part of Farebox's configuration file that concerns it.
public struct GatewayConfiguration: Sendable {
    /// The domain below which each owner has a host; empty when there are none.
    public var rootDomain = ""
    /// The namespace of `/function/<name>` without a namespace.
    public var functionsNamespace = "farebox-functions"
    /// The node it runs on, whose zone is preferred among a function's addresses; without it there is no preference.
    public var nodeName: String?
    /// Where callers connect.
    public var address = "0.0.0.0"
    /// The port for callers; 0 lets the kernel choose.
    public var port: UInt16 = 8080
    /// Where callers connect by TLS as well; without it there is none.
    public var tls: GatewayTLS?
    /// Whether plain connections may begin with HTTP/2 at once (h2c by prior knowledge).
    public var acceptsPlainHTTP2 = false
    /// Where probes and Prometheus connect; never to be reachable for callers.
    public var internalAddress = "0.0.0.0"
    /// The port for probes and Prometheus.
    public var internalPort: UInt16 = 9090
    /// Event loops; by default one for each processor that the process may use.
    public var loops: Int?
    /// How long a function may stay silent when it says nothing itself.
    public var timeout: Duration = .seconds(60)
    /// How long a call waits for a sleeping function to start.
    public var wakeTimeout: Duration = .seconds(60)
    /// How many calls may wait for one function at once; more are answered 503.
    public var waitingMaximum = 1000
    /// Of which part of all calls a line is written to standard output, from 0 to 1.
    public var accessLogShare = 0.0
    /// Where these lines go.
    var accessLogOutput = LogOutput(fileDescriptor: 1)
    /// Connections of callers open at once.
    public var connectionsMaximum = 16 * 1024
    /// How long the gateway still accepts connections after it is told to stop: until every load balancer and node has
    /// heard that it takes no more.
    ///
    /// The readiness probe fails from the start.
    public var drainDelay: Duration = .seconds(5)
    /// How long requests may take after that; what is left then is cut.
    ///
    /// Together with `drainDelay` it has to fit into the pod's grace period.
    public var shutdownGrace: Duration = .seconds(20)

    /// Where paid calls are leased; without it functions that demand payment are not called.
    public var payment: PaymentAccess?

    /// How calls that do not wait are kept and made; without it `/async-function/…` is not there.
    public var async: AsyncConfiguration?

    /// Takes the defaults given above.
    public init() {}
}
