import Testing

@testable import KubernetesTypes

@Suite("Addressing objects")
struct AddressingTests {
    private let pods = ResourceDescriptor(version: "v1", kind: "Pod", plural: "pods")
    private let leases = Lease.descriptor

    @Test("Paths follow group, namespace, name and subresource")
    func paths() {
        #expect(pods.path() == "/api/v1/pods")
        #expect(pods.path(namespace: "") == "/api/v1/pods")
        #expect(pods.path(namespace: "ns", name: "a", subresource: "log") == "/api/v1/namespaces/ns/pods/a/log")
        #expect(
            leases.path(ObjectKey(namespace: "ns", name: "l"))
                == "/apis/coordination.k8s.io/v1/namespaces/ns/leases/l")
        #expect(Namespace.descriptor.path(namespace: "ignored", name: "x") == "/api/v1/namespaces/x")
    }

    @Test("No name can leave its path segment", arguments: ["a/b", "a?b", "a#b", "a%2Fb", "ä", "a b"])
    func encodes(name: String) {
        let path = pods.path(namespace: "ns", name: name)
        let segment = path.dropFirst("/api/v1/namespaces/ns/pods/".count)

        #expect(segment.utf8.allSatisfy { $0 < 128 })
        #expect(!segment.contains { "/?# ".contains($0) })
    }

    @Test(
        "A label selector matches as the server would",
        arguments: [
            (LabelSelector(), true), (LabelSelector(matchLabels: ["a": "1"]), true),
            (LabelSelector(matchLabels: ["a": "2"]), false), (LabelSelector(matchLabels: ["c": ""]), false),
            (LabelSelector(matchExpressions: [.init(key: "a", operator: "In", values: ["1", "2"])]), true),
            (LabelSelector(matchExpressions: [.init(key: "c", operator: "NotIn", values: ["1"])]), true),
            (LabelSelector(matchExpressions: [.init(key: "a", operator: "NotIn", values: ["1"])]), false),
            (LabelSelector(matchExpressions: [.init(key: "b", operator: "Exists")]), true),
            (LabelSelector(matchExpressions: [.init(key: "b", operator: "DoesNotExist")]), false),
            (LabelSelector(matchExpressions: [.init(key: "b", operator: "Whatever")]), false),
        ])
    func selects(selector: LabelSelector, expected: Bool) {
        #expect(selector.matches(["a": "1", "b": ""]) == expected)
    }

    @Test("A label selector becomes one sorted query value")
    func queryValue() {
        let selector = LabelSelector(
            matchLabels: ["b": "2", "a": "1"],
            matchExpressions: [
                .init(key: "c", operator: "In", values: ["y", "x"]), .init(key: "d", operator: "Exists"),
            ])

        #expect(selector.queryValue == "a=1,b=2,c in (x,y),d")
    }
}
