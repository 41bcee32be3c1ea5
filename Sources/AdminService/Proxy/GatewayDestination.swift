import HTTP
import Synchronization
import Telemetry
import Threads

/// The gateway's Service, as a place that calls are passed on to.
///
/// Its name is looked up when calls begin to fail, and not otherwise: the address of a Service stays while it lasts.
final class GatewayDestination: ProxyDestination {
    private struct State {
        var endpoints: [UpstreamEndpoint] = []
        var isLookingUp = false
        var lookedUpAt: ContinuousClock.Instant?
    }

    private let address: GatewayAddress
    private let lookUp: @Sendable (String) -> [String]
    private let pause: Duration
    private let state = Mutex(State())
    private let logger = Logger(label: "admin")

    /// The resolver is not asked more often.
    private static let pause = Duration.seconds(1)
    private static let addressesMaximum = 64

    /// - Parameters:
    ///   - address: Where the gateway is.
    ///   - pause: The least time between two look-ups.
    ///   - lookUp: Finds the numeric addresses of a host; it may block.
    init(
        _ address: GatewayAddress, pause: Duration = GatewayDestination.pause,
        lookUp: @escaping @Sendable (String) -> [String] = { HostAddresses.lookUp($0) }
    ) {
        self.address = address
        self.pause = pause
        self.lookUp = lookUp
    }

    func endpoint(avoiding failed: UpstreamEndpoint?, random: UInt64) -> EndpointChoice {
        let endpoints = state.withLock { $0.endpoints }
        guard !endpoints.isEmpty else {
            refresh()
            return .none
        }
        let index = Int(random % UInt64(endpoints.count))
        let isFailed = endpoints.count > 1 && endpoints[index] === failed
        let chosen = endpoints[isFailed ? (index + 1) % endpoints.count : index]
        return chosen.begin() ? .endpoint(chosen) : .allBusy
    }

    func finished(_ outcome: ProxyOutcome, context: AnyObject?) {
        if outcome.cause == .connectFailed { refresh() }
    }

    /// Looks the name up, unless that is under way or was done a moment ago.
    func refresh() {
        let isDue = state.withLock { state in
            if state.isLookingUp { return false }
            if let last = state.lookedUpAt, last.duration(to: .now) < pause { return false }
            state.isLookingUp = true
            return true
        }
        guard isDue else { return }
        let code = DetachedThread.start { [self] in
            let hosts = lookUp(address.host).prefix(Self.addressesMaximum)
            take(hosts.compactMap { SocketAddress(host: $0, port: address.port) })
        }
        if code != 0 { state.withLock { $0.isLookingUp = false } }
    }

    /// Takes what the resolver said; when it said nothing, what was known stays.
    private func take(_ found: [SocketAddress]) {
        let gone = state.withLock { state in
            state.isLookingUp = false
            state.lookedUpAt = .now
            guard !found.isEmpty else { return [UpstreamEndpoint]() }
            let kept = state.endpoints.filter { found.contains($0.address) }
            let gone = state.endpoints.filter { !found.contains($0.address) }
            let known = Set(kept.map(\.address))
            state.endpoints = kept + Set(found).subtracting(known).map { UpstreamEndpoint(address: $0) }
            return gone
        }
        for endpoint in gone { endpoint.retire() }
        if found.isEmpty { logger.warning("The gateway's name is unknown", ["host": address.host]) }
    }
}
