import Synchronization

@testable import HTTP

extension HTTPServerTimeouts {
    /// Longer than a busy machine keeps a test waiting, for tests that are not about a limit.
    static var patient: HTTPServerTimeouts {
        let long = Duration.seconds(600)
        var timeouts = HTTPServerTimeouts()
        timeouts.handshake = long
        timeouts.head = long
        timeouts.bodyIdle = long
        timeouts.keepAliveIdle = long
        timeouts.writeStall = long
        timeouts.upstreamIdle = long
        return timeouts
    }
}

/// Endpoints to choose from in turn, and what became of the calls.
final class TestDestination: ProxyDestination {
    private struct State {
        var endpoints: [UpstreamEndpoint]
        var next = 0
        var outcomes: [ProxyOutcome] = []
    }

    private let inFlightPerEndpoint: Int?
    private let state: Mutex<State>

    init(ports: [UInt16], inFlightPerEndpoint: Int? = nil) {
        self.inFlightPerEndpoint = inFlightPerEndpoint
        state = Mutex(State(endpoints: Self.endpoints(ports)))
    }

    private static func endpoints(_ ports: [UInt16]) -> [UpstreamEndpoint] {
        ports.compactMap { port in
            SocketAddress(host: "127.0.0.1", port: port).map { UpstreamEndpoint(address: $0) }
        }
    }

    var endpoints: [UpstreamEndpoint] { state.withLock { $0.endpoints } }

    /// How often an endpoint was chosen.
    var choices: Int { state.withLock { $0.next } }

    /// Puts endpoints at these ports in the place of those that were.
    func replace(with ports: [UInt16]) {
        state.withLock { $0.endpoints = Self.endpoints(ports) }
    }

    func endpoint(avoiding failed: UpstreamEndpoint?, random: UInt64) -> EndpointChoice {
        state.withLock { state in
            let endpoints = state.endpoints
            guard !endpoints.isEmpty else { return .none }
            state.next += 1
            let chosen = endpoints[(state.next - 1) % endpoints.count]
            let better = chosen === failed ? endpoints[state.next % endpoints.count] : chosen
            return better.begin(maximum: inFlightPerEndpoint) ? .endpoint(better) : .allBusy
        }
    }

    func finished(_ outcome: ProxyOutcome, context: AnyObject?) {
        state.withLock { $0.outcomes.append(outcome) }
    }

    var outcomes: [ProxyOutcome] { state.withLock { $0.outcomes } }
}

/// Sends everything to one destination, with the path as it is.
struct ProxyEverything: RequestRouter {
    let destination: TestDestination
    var silence: Duration = .seconds(600)

    func route(
        _ head: RequestHead, in bytes: Span<UInt8>, after gate: (any RequestGate)?, onLoop loop: Int
    ) -> RequestDecision {
        .proxy(ProxyCall(to: destination, head: head, prefixEnd: head.path.start, silence: silence))
    }
}

/// A proxy in front of the given ports.
struct ProxyFixture {
    let server: HTTPServer
    let port: UInt16
    let destination: TestDestination

    init(
        to ports: [UInt16], silence: Duration = .seconds(600), inFlightPerEndpoint: Int? = nil,
        unreachable: Duration = .zero
    ) throws {
        destination = TestDestination(ports: ports, inFlightPerEndpoint: inFlightPerEndpoint)
        var configuration = HTTPServerConfiguration()
        configuration.address = "127.0.0.1"
        configuration.timeouts = .patient
        configuration.timeouts.unreachable = unreachable
        server = HTTPServer(
            configuration: configuration, router: ProxyEverything(destination: destination, silence: silence),
            handler: HTTPClosureHandler { _ in HTTPResponse(.internalServerError) })
        port = try server.start()
    }

    func stop() async {
        await server.shutdown(grace: .milliseconds(200))
    }
}
