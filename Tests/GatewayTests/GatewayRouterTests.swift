import KubernetesTypes
import Telemetry
import Testing

@testable import Gateway
@testable import HTTP

@Suite("Finding the function a request names")
struct GatewayRouterTests {
    private func fixture() -> RoutingFixture {
        let fixture = RoutingFixture()
        fixture.add("system-dashboard", owner: ("system", "dashboard"))
        fixture.add("alice-goto", owner: ("alice", "goto"))
        fixture.add("git-tar", owner: ("gi", "t-tar"))
        fixture.add("by-hand")
        fixture.add("by-hand", namespace: "other")
        return fixture
    }

    /// The first ones are how OpenFaaS Cloud's router mapped hosts and paths, where it did so safely.
    static let cases: [(String, String, String)] = [
        ("system.example.xyz", "/dashboard", "system-dashboard.functions "),
        ("system.example.xyz", "/////dashboard", "system-dashboard.functions "),
        ("alice.example.xyz", "/goto/home?x=1", "alice-goto.functions /home?x=1"),
        ("ALICE.Example.XYZ:8443", "/goto?x", "alice-goto.functions ?x"),
        ("alice.example.xyz.", "/goto/", "alice-goto.functions /"),
        ("alice.example.xyz", "/goto//a%2F%2e%2e%2fb", "alice-goto.functions //a%2F%2e%2e%2fb"),
        ("example.xyz", "/dashboard", "404"), ("system.example.xyz", "/", "404"), ("alice.example.xyz", "/", "404"),
        ("alice.localhost", "/goto", "404"), ("auth.system.example.xyz", "/login/github", "404"),
        // Host and path are never joined: this named a function of the pipeline once.
        ("git.example.xyz", "/tar", "404"), ("gi.example.xyz", "/t-tar", "git-tar.functions "),
        // Names are compared as they are.
        ("alice.example.xyz", "/Goto", "404"), ("alice.example.xyz", "/%67oto", "404"),
        ("alice.example.xyz", "/goto%2fx", "404"), ("alice.example.xyz", "/function/by-hand", "404"),
        ("alicexexample.xyz", "/goto", "404"), (".example.xyz", "/goto", "404"), ("bob.example.xyz", "/goto", "404"),
        // A host of its own; in hosts case does not count, so a function's name there is the lower-case one.
        ("goto.alice.example.xyz", "/", "alice-goto.functions /"),
        ("goto.alice.example.xyz", "/goto/a?b", "alice-goto.functions /goto/a?b"),
        ("Goto.Alice.Example.XYZ.:8443", "//a%2fb", "alice-goto.functions //a%2fb"),
        ("goto.bob.example.xyz", "/", "404"),
        ("www.goto.alice.example.xyz", "/", "404"), (".alice.example.xyz", "/goto", "404"),
        ("goto..example.xyz", "/", "404"), ("alice.goto.example.xyz", "/", "404"),
        // By object, on every other host.
        ("10.0.0.1", "/function/by-hand", "by-hand.functions "),
        ("example.xyz", "/function/by-hand/a?b", "by-hand.functions /a?b"),
        ("[::1]:8080", "/function/by-hand.other/a", "by-hand.other /a"),
        ("x", "//function//by-hand.functions", "by-hand.functions "),
        ("x", "/function/alice-goto", "alice-goto.functions "), ("x", "/funko/by-hand/a", "by-hand.functions /a"),
        ("x", "/faaso/by-hand/?a", "by-hand.functions /?a"), ("x", "/faaso", "404"),
        ("alice.example.xyz", "/faaso/by-hand", "404"),
        // What OpenFaaS' command line calls the namespace when its user names none.
        ("x", "/function/by-hand.openfaas-fn/a", "by-hand.functions /a"),
        ("x", "/function/nobody.openfaas-fn", "404"),
        ("x", "/function/by-hand.nowhere", "404"), ("x", "/function/by-hand.other.x", "404"),
        ("x", "/function/", "404"),
        ("x", "/function", "404"), ("x", "/functions/by-hand", "404"), ("x", "/function/By-Hand", "404"),
        ("x", "/function/.other", "404"), ("x", "/healthz", "404"), ("x", "/metrics", "404"), ("x", "/", "404"),
        ("x", "http://x/function/by-hand", "by-hand.functions "),
    ]

    @Test("Hosts and paths name exactly one function, or none", arguments: cases)
    func routes(host: String, target: String, expected: String) throws {
        let fixture = fixture()

        let decision = try fixture.decide(target, host: host)

        #expect(decision == expected)
    }

    @Test("Without a root domain no host names an owner")
    func noRootDomain() throws {
        let registry = MetricsRegistry()
        let metrics = GatewayMetrics(registry)
        let board = RouteBoard(loops: 1)
        let router = GatewayRouter(board: board, metrics: metrics, rootDomain: "", defaultNamespace: "functions")
        let bytes = Array("GET /a HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
        var head = RequestHead()
        try head.parse(bytes.span, end: bytes.count, limits: HeadLimits())

        let decision = router.route(head, in: bytes.span, after: nil, onLoop: 0)

        guard case .refuse(.notFound, _, _, _) = decision else {
            Issue.record("\(decision)")
            return
        }
    }

    @Test("A function that is closed lets nothing through")
    func closed() throws {
        let fixture = RoutingFixture()
        fixture.add("shut", admission: .closed(status: 503, reason: "It is suspended."))

        let decision = try fixture.decide("/function/shut", host: "x")

        #expect(decision == "503")
        #expect(
            fixture.text.contains("gateway_function_invocation_total{function_name=\"shut.functions\",code=\"503\"} 1"))
    }

    @Test("Calls above a function's limit are 429 until one ends")
    func limit() throws {
        let fixture = RoutingFixture()
        let key = fixture.add("small", maximum: 2)
        let route = try #require(fixture.board.table.byObject[RouteName(key.name, key.namespace)])

        let first = route.calls.begin(maximum: 2)
        let second = route.calls.begin(maximum: 2)
        let third = try fixture.decide("/function/small", host: "x")
        route.finished(RoutingFixture.answered, context: nil)
        let fourth = try fixture.decide("/function/small", host: "x")

        #expect(first && second)
        #expect(third == "429")
        #expect(fourth == "small.functions ")
        #expect(route.calls.underWay == 1)
    }
}

extension RoutingFixture {
    /// The metrics as Prometheus reads them.
    var text: String { String(decoding: registry.render(), as: UTF8.self) }
}
