import AsyncCalls
import CRDs
import Glibc
import JSON
import KubernetesTypes
import Testing

@testable import Gateway
@testable import HTTP

@Suite("Keeping the routes up to date")
struct RouteSourceTests {
    @Test("A function gets its addresses whichever of the two is known first")
    func eitherOrder() {
        let fixture = RoutingFixture()
        let early = ObjectKey(namespace: "functions", name: "early")

        fixture.setAddresses(["10.0.0.1"], of: early)
        let before = fixture.endpoints("early")
        fixture.add("early")
        let late = fixture.add("late")
        fixture.setAddresses(["10.0.0.2"], of: late)

        #expect(before == nil)
        #expect(fixture.endpoints("early")?.map(\.address.host) == ["10.0.0.1"])
        #expect(fixture.endpoints("late")?.map(\.address.host) == ["10.0.0.2"])
    }

    @Test("An address that stays keeps its endpoint, one that goes is retired")
    func endpointsLast() throws {
        let fixture = RoutingFixture()
        let key = fixture.add("f")
        fixture.setAddresses(["10.0.0.1", "10.0.0.2"], of: key)
        let before = try #require(fixture.endpoints("f"))

        fixture.setAddresses(["10.0.0.2", "10.0.0.3"], of: key)
        let after = try #require(fixture.endpoints("f"))

        #expect(after.map(\.address.host) == ["10.0.0.2", "10.0.0.3"])
        #expect(after[0] === before[1])
        #expect(before[0].isRetired && !before[1].isRetired)
    }

    @Test("Slices are put together, and addresses that are ending serve only when there is no other")
    func slices() {
        let fixture = RoutingFixture()
        let key = fixture.add("f")

        fixture.setAddresses(["10.0.0.1"], of: key, ending: ["10.0.0.9"], slice: "a")
        fixture.setAddresses(["10.0.0.2", "10.0.0.1"], of: key, slice: "b")
        let both = fixture.endpoints("f")
        fixture.setAddresses([], of: key, ending: ["10.0.0.9"], slice: "a")
        fixture.setAddresses([], of: key, slice: "b")
        let last = fixture.endpoints("f")
        fixture.setAddresses([], of: key, slice: "a")
        let none = fixture.endpoints("f")

        #expect(both?.map(\.address.host) == ["10.0.0.1", "10.0.0.2"])
        #expect(last?.map(\.address.host) == ["10.0.0.9"])
        #expect(none?.isEmpty == true)
    }

    @Test("A slice that comes to another function, or goes, takes its addresses with it")
    func slicesMove() {
        let fixture = RoutingFixture()
        let first = fixture.add("f")
        let second = fixture.add("g")

        fixture.setAddresses(["10.0.0.1"], of: first, slice: "a")
        fixture.setAddresses(["10.0.0.1"], of: second, slice: "a")
        let moved = [fixture.endpoints("f"), fixture.endpoints("g")]
        fixture.source.removeSlice(ObjectKey(namespace: second.namespace, name: "a"))
        fixture.source.removeSlice(ObjectKey(namespace: second.namespace, name: "unknown"))
        let gone = fixture.endpoints("g")

        #expect(moved.map { $0?.map(\.address.host) } == [[], ["10.0.0.1"]])
        #expect(gone?.isEmpty == true)
    }

    @Test("A domain leads to the function that has it, path and all, and to the next when that one goes or lets it go")
    func domains() throws {
        let fixture = RoutingFixture()
        let older = fixture.add("old", domains: ["shop.example.com"], created: "2026-01-01T00:00:00Z")
        fixture.add("young", domains: ["shop.example.com", "b.example"], created: "2026-02-02T00:00:00Z")

        let first = try fixture.decide("/function/young?x", host: "Shop.Example.COM.:8443")
        let own = try fixture.decide("/", host: "b.example")
        let others = try [
            "example.com", "a.shop.example.com", "shop.example.com.evil", "xshop.example.com", "b.example.xyz",
        ]
        .map { try fixture.decide("/", host: $0) }
        let plain = try fixture.decide("/function/young", host: "127.0.0.1")
        fixture.add("old", created: "2026-01-01T00:00:00Z")
        let second = try fixture.decide("/a", host: "shop.example.com")
        fixture.add("old", domains: ["shop.example.com"], created: "2026-01-01T00:00:00Z")
        let third = try fixture.decide("/a", host: "shop.example.com")
        fixture.source.remove(older)
        let fourth = try fixture.decide("/a", host: "shop.example.com")
        fixture.add("young")
        let fifth = try fixture.decide("/a", host: "shop.example.com")

        #expect(first == "old.functions /function/young?x")
        #expect(own == "young.functions /")
        #expect(others.allSatisfy { $0 == "404" }, "\(others)")
        #expect(plain == "young.functions ")
        #expect([second, third, fourth] == ["young.functions /a", "old.functions /a", "young.functions /a"])
        #expect(fifth == "404")
    }

    @Test("What the operator said of a domain counts as long as the function wants it")
    func domainsOfStatus() {
        var function = Function(metadata: ObjectMeta(name: "f", namespace: "n"), spec: FunctionSpec(image: "i"))
        function.spec.domains = ["a.example", "c.example"]
        let before = FunctionRecord(function)
        function.status = FunctionStatus()
        function.status?.domains = ["a.example", "b.example"]

        #expect(before.domains.isEmpty)
        #expect(FunctionRecord(function).domains == ["a.example"])
    }

    @Test("Of two functions that claim a name the older has it, and the other gets it when the first goes")
    func claims() throws {
        let fixture = RoutingFixture()
        let younger = fixture.add("young", owner: ("alice", "f"), created: "2026-02-02T00:00:00Z")
        let first = try fixture.decide("/f", host: "alice.example.xyz")
        let older = fixture.add("old", namespace: "other", owner: ("alice", "f"), created: "2026-01-01T00:00:00Z")

        let second = try fixture.decide("/f", host: "alice.example.xyz")
        fixture.setAddresses(["10.0.0.1"], of: younger)
        let third = try fixture.decide("/f", host: "alice.example.xyz")
        fixture.source.remove(older)
        let fourth = try fixture.decide("/f", host: "alice.example.xyz")
        fixture.source.remove(younger)
        let fifth = try fixture.decide("/f", host: "alice.example.xyz")

        #expect(
            [first, second, third, fourth, fifth].map { $0.prefix(6) } == [
                "young.", "old.ot", "old.ot", "young.", "404",
            ])
    }

    @Test("A renamed function leaves its old name")
    func renamed() throws {
        let fixture = RoutingFixture()
        fixture.add("f", owner: ("alice", "old"))

        fixture.add("f", owner: ("alice", "new"))

        #expect(try fixture.decide("/old", host: "alice.example.xyz") == "404")
        #expect(try fixture.decide("/new", host: "alice.example.xyz") == "f.functions ")
    }

    @Test("A function that is gone takes its series with it")
    func seriesGo() throws {
        let fixture = RoutingFixture()
        let key = fixture.add("f")
        _ = try fixture.decide("/function/f", host: "x")
        let before = fixture.text

        fixture.source.remove(key)

        #expect(before.contains("f.functions"))
        #expect(!fixture.text.contains("f.functions"))
        #expect(fixture.source.count == 0)
    }

    @Test("Every loop sees a change with its next request, and a table in hand does not change")
    func snapshots() throws {
        let fixture = RoutingFixture()
        fixture.add("f")
        _ = try fixture.decide("/function/f", host: "x", loop: 0)
        let held = fixture.board.table

        fixture.source.remove(ObjectKey(namespace: "functions", name: "f"))

        #expect(try fixture.decide("/function/f", host: "x", loop: 0) == "404")
        #expect(try fixture.decide("/function/f", host: "x", loop: 1) == "404")
        #expect(held.byObject[RouteName("f", "functions")] != nil)
    }

    @Test("Ten thousand functions are all found, and a change among them is quick")
    func many() throws {
        let fixture = RoutingFixture()
        for number in 0..<10_000 {
            fixture.add("f\(number)", owner: ("owner\(number % 100)", "f\(number)"))
        }

        let spent = processorTime {
            for number in 0..<100 {
                let key = ObjectKey(namespace: "functions", name: "f\(number)")
                fixture.setAddresses(["10.0.0.1"], of: key)
            }
        }

        #expect(fixture.board.table.byObject.count == 10_000)
        for number in stride(from: 0, to: 10_000, by: 37) {
            #expect(
                try fixture.decide("/f\(number)", host: "owner\(number % 100).example.xyz") == "f\(number).functions ")
        }
        // A millisecond each is the goal of a release build; this is a debug build on a shared machine.
        #expect(spent / 100 < .milliseconds(40))
    }

    /// How long this thread had a processor for `body`, whatever others did meanwhile.
    private func processorTime(_ body: () -> Void) -> Duration {
        func now() -> Duration {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return Duration.seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
        }
        let begun = now()
        body()
        return now() - begun
    }

    @Test("Slices give their ready addresses with the TCP port")
    func sliceAddresses() {
        var slice = EndpointSlice(
            metadata: ObjectMeta(name: "s", namespace: "n", labels: [FareboxLabel.name: "f"]),
            endpoints: [
                Endpoint(addresses: ["10.0.0.1", "10.0.0.5"]),
                Endpoint(addresses: ["10.0.0.2"], conditions: EndpointConditions(ready: false)),
                Endpoint(
                    addresses: ["10.0.0.3"],
                    conditions: EndpointConditions(ready: false, serving: true, terminating: true)),
                Endpoint(addresses: ["nonsense"]), Endpoint(addresses: []),
            ], ports: [EndpointPort(port: 53, protocol: "UDP"), EndpointPort(name: "http", port: 8080)])

        let addresses = slice.callAddresses()
        slice.addressType = "FQDN"
        let names = slice.callAddresses()

        #expect(slice.function == ObjectKey(namespace: "n", name: "f"))
        #expect(addresses.map { "\($0.address) \($0.isEnding)" } == ["10.0.0.1:8080 false", "10.0.0.3:8080 true"])
        #expect(names.isEmpty)
    }

    @Test("An address is near when its slice names the gateway's zone, in either version of the API")
    func zones() throws {
        let text = """
            {"metadata": {"name": "s"}, "addressType": "IPv4", "ports": [{"port": 80}], "endpoints": [
              {"addresses": ["10.0.0.1"], "zone": "a"}, {"addresses": ["10.0.0.2"], "zone": "b"},
              {"addresses": ["10.0.0.3"], "topology": {"topology.kubernetes.io/zone": "a"}}, {"addresses": ["10.0.0.4"]}]}
            """
        let slice = try JSONReader().decode(EndpointSlice.self, from: Array(text.utf8))

        let near = slice.callAddresses(near: "a").filter(\.isNear).map(\.address.host)
        let none = slice.callAddresses().filter(\.isNear)

        #expect(near == ["10.0.0.1", "10.0.0.3"])
        #expect(none.isEmpty)
    }

    @Test("A Function object becomes a record; one that has to be paid for without a price, or is suspended, is closed")
    func record() {
        var function = Function(
            metadata: ObjectMeta(name: "alice-f", namespace: "n", annotations: [FareboxAnnotation.owner: "Alice"]),
            spec: FunctionSpec(image: "i"))
        function.metadata.annotations[FareboxAnnotation.function] = "f"
        function.spec.timeout = "90s"
        function.spec.maxInflight = 5
        function.spec.maxInflightPerReplica = 2

        // Nothing keeps what the operator refuses from being read here, and a wait of nothing would never end.
        function.spec.async = FunctionAsync(
            concurrency: 0, attempts: -1, retryMinimum: "0s", retryMaximum: "9999h", retryStatuses: [503])
        let open = FunctionRecord(function)
        function.spec.payment = FunctionPayment(required: true)
        let rules = open.asyncRules?.rules
        #expect(rules?.concurrency == 1 && rules?.statuses == [503])
        #expect(rules?.minimum == .seconds(1) && rules?.maximum == .seconds(86400))
        #expect(rules.map { RetryPolicy().applying($0).attemptsMaximum } == 1)
        let closed = FunctionRecord(function)
        function.spec.payment?.price = FunctionPrice(amount: 1, assetCode: "USD", assetScale: 2, calls: 10)
        let paid = FunctionRecord(function)

        function.spec.suspend = true
        let suspended = FunctionRecord(function)

        #expect(suspended.admission == .closed(status: 503, reason: "The function is suspended."))
        #expect(open.ownerName == FunctionRecord.OwnedName(owner: "alice", function: "f"))
        #expect(open.timeout == .seconds(90) && open.admission == .open)
        #expect(open.inFlightMaximum == 5 && open.inFlightPerEndpoint == 2)
        #expect(paid.admission == .paid(FunctionPrice(amount: 1, assetCode: "USD", assetScale: 2, calls: 10)))
        guard case .closed(503, _) = closed.admission else {
            Issue.record("\(closed.admission)")
            return
        }
    }

    @Test("What is left out of lists of Functions and slices is nothing that routes are made of")
    func unread() throws {
        let function = """
            {"metadata": {"name": "alice-f", "namespace": "n", "uid": "u", "resourceVersion": "7",
                "creationTimestamp": "2026-01-02T03:04:05Z", "ownerReferences": [], "finalizers": ["x"],
                "labels": {"farebox.dev/owner": "alice"}, "annotations": {"farebox.dev/function": "f"}},
             "spec": {"image": "i", "environment": {"A": "b"}, "replicas": 3, "timeout": "9s", "maxInflight": 5,
                "maxInflightPerReplica": 2, "async": {"concurrency": 4, "attempts": 2}, "domains": ["a.example"],
                "scale": {"min": 0, "idleAfter": "5m", "waitingPage": true}, "labels": {"a": "b"},
                "payment": {"required": true, "price": {"amount": 1, "assetCode": "USD", "assetScale": 2, "calls": 10}}},
             "status": {"domains": ["a.example"], "conditions": [{"type": "Ready", "status": "True"}]}}
            """
        let slice = """
            {"metadata": {"name": "s", "namespace": "n", "labels": {"farebox.dev/name": "f"}, "ownerReferences": []},
             "addressType": "IPv4", "ports": [{"port": 80}], "endpoints": [
              {"addresses": ["10.0.0.1"], "zone": "a", "conditions": {"ready": true}, "targetRef": {"name": "p"}},
              {"addresses": ["10.0.0.2"], "topology": {"topology.kubernetes.io/zone": "a"}, "nodeName": "x"},
              {"addresses": ["10.0.0.3"], "conditions": {"ready": false, "serving": true, "terminating": true}}]}
            """
        func both<Resource: Decodable>(
            _ type: Resource.Type, _ text: String, _ unread: [[String]]
        ) throws -> (whole: Resource, listed: Resource) {
            let list = try JSONReader().list(Array("{\"items\": [\(text)]}".utf8), elementsOf: "items")
            var listed: [Resource] = []
            try list.read(0..<1, leavingOut: unread) { listed.append(try JSONReader().decode(type, from: $0)) }
            return (try JSONReader().decode(type, from: Array(text.utf8)), listed[0])
        }

        let functions = try both(Function.self, function, FunctionRecord.unread)
        let slices = try both(EndpointSlice.self, slice, EndpointSlice.unread)

        let record = FunctionRecord(functions.whole)
        #expect(record.isPaid && record.scaling != nil && record.asyncRules != nil && record.domains == ["a.example"])
        #expect(record.ownerName != nil && record.created != nil && record.inFlightPerEndpoint == 2)
        #expect(FunctionRecord(functions.listed) == record)
        #expect(functions.listed.spec.environment.isEmpty && functions.listed.metadata.uid == "u")
        #expect(functions.listed.metadata.resourceVersion == "7")
        #expect(slices.whole.callAddresses(near: "a").count == 3 && slices.whole.function != nil)
        #expect(slices.listed.callAddresses(near: "a") == slices.whole.callAddresses(near: "a"))
        #expect(slices.listed.function == slices.whole.function && slices.listed.endpoints[0].targetRef == nil)
    }
}
