import KubernetesTypes
import Telemetry
import Timing

@testable import Gateway
@testable import HTTP

/// A board with routes on it and a router that reads it.
struct RoutingFixture {
    let registry = MetricsRegistry()
    let board: RouteBoard
    let source: RouteSource
    let router: GatewayRouter

    init(desk: CallDesk? = nil, waker: (any FunctionWaker)? = nil, waitingMaximum: Int = 1000) {
        let metrics = GatewayMetrics(registry)
        board = RouteBoard(loops: 2)
        source = RouteSource(
            board: board, metrics: metrics, defaultTimeout: .seconds(60), desk: desk, waker: waker,
            waitingMaximum: waitingMaximum)
        router = GatewayRouter(
            board: board, metrics: metrics, rootDomain: "Example.xyz", defaultNamespace: "functions")
    }

    /// Puts a function with one address on the board.
    @discardableResult
    func add(
        _ name: String, namespace: String = "functions", owner: (String, String)? = nil, domains: [String] = [],
        admission: FunctionRecord.Admission = .open, maximum: Int? = nil, perReplica: Int? = nil, created: String? = nil
    ) -> ObjectKey {
        let key = ObjectKey(namespace: namespace, name: name)
        source.put(
            FunctionRecord(
                key: key, ownerName: owner.map { FunctionRecord.OwnedName(owner: $0.0, function: $0.1) },
                domains: domains, inFlightMaximum: maximum, inFlightPerEndpoint: perReplica, admission: admission,
                created: created.flatMap { Timestamp(rfc3339: $0) }.map { Time($0) }))
        return key
    }

    func address(_ host: String, port: UInt16 = 8080) -> SocketAddress {
        guard let address = SocketAddress(host: host, port: port) else {
            preconditionFailure("\(host) is no address")
        }
        return address
    }

    func setAddresses(
        _ hosts: [String], of key: ObjectKey, ending: [String] = [], slice: String? = nil, near: Set<String> = []
    ) {
        let ready = hosts.map { host in
            RouteSource.SliceAddress(address: address(host), isEnding: false, isNear: near.contains(host))
        }
        let last = ending.map { RouteSource.SliceAddress(address: address($0), isEnding: true) }
        source.setSlice(slice ?? "\(key.name)-s", of: key, ready + last)
    }

    /// What the router makes of a request: the function and what it sees of the target, or the refusal's status.
    func decide(_ target: String, host: String, loop: Int = 0) throws -> String {
        let bytes = Array("GET \(target) HTTP/1.1\r\nHost: \(host)\r\n\r\n".utf8)
        switch try decision(bytes, loop: loop) {
        case .handle:
            return "handle"
        case .wait:
            return "wait"
        case .refuse(let status, _, _, _):
            return "\(status.code)"
        case .answer(let response):
            return "answer \(response.status.code)"
        case .proxy(let call):
            guard let route = call.destination as? Route else { return "?" }
            defer { route.finished(Self.answered, context: call.context) }
            return "\(route.calls.label) \(bytes.span.text(call.target))"
        }
    }

    /// What the router decides about a request, as sent.
    func decision(_ bytes: [UInt8], after gate: (any RequestGate)? = nil, loop: Int = 0) throws -> RequestDecision {
        var head = RequestHead()
        try head.parse(bytes.span, end: bytes.count, limits: HeadLimits())
        return router.route(head, in: bytes.span, after: gate, onLoop: loop)
    }

    static let answered = ProxyOutcome(
        status: 200, cause: .answered, nanoseconds: 1_000_000, firstByteNanoseconds: 1, attempts: 1,
        wasSent: true, ejections: 0)

    /// The endpoints of the route of an object.
    func endpoints(_ name: String, _ namespace: String = "functions") -> [UpstreamEndpoint]? {
        board.table.byObject[RouteName(name, namespace)]?.endpoints
    }
}
