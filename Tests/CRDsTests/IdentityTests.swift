import CRDs
import KubernetesTypes
import Testing

@Suite("Names and labels")
struct IdentityTests {
    @Test(
        "Any text becomes a label value",
        arguments: [
            ("main", "main"), ("feature/log in", "feature-log-in"), ("-x-", "x"), ("", ""), ("///", ""),
            ("Ünïcode", "n-code"),
            (String(repeating: "a", count: 62) + "-b", String(repeating: "a", count: 62)), ("v1.2_3", "v1.2_3"),
        ])
    func sanitised(text: String, expected: String) {
        let value = LabelValue.sanitised(text)

        #expect(value == expected)
        #expect(LabelValue.isValid(value))
    }

    @Test("Two owners and functions that join to the same name stay apart")
    func ambiguousNames() {
        let left = FunctionIdentity(owner: OwnerName("alex"), function: "ellis-fn")
        let right = FunctionIdentity(owner: OwnerName("alex-ellis"), function: "fn")

        #expect(left.objectName == right.objectName)
        #expect(left != right)
    }

    @Test("Owners compare without case and keep it")
    func ownerCase() {
        let owner = OwnerName("Alex")

        #expect(owner == OwnerName("aLEX"))
        #expect(owner.display == "Alex")
        #expect(FunctionIdentity(owner: owner, function: "fn").objectName == "alex-fn")
    }

    @Test("The exact names of an object come from its annotations, else from its labels, and may be absent")
    func identityOfObject() {
        let exact = ObjectMeta(
            name: "x", labels: [FareboxLabel.owner: "a-b", FareboxLabel.function: "f"],
            annotations: [FareboxAnnotation.owner: "a_b."])
        let labelled = ObjectMeta(name: "alex-fn", labels: [FareboxLabel.owner: "alex"])

        #expect(FunctionIdentity(of: exact) == FunctionIdentity(owner: OwnerName("a_b."), function: "f"))
        #expect(FunctionIdentity(of: labelled) == FunctionIdentity(owner: OwnerName("alex"), function: "alex-fn"))
        #expect(FunctionIdentity(of: ObjectMeta(name: "x")) == nil)
    }

    @Test("A Service's name begins with a letter", arguments: [("hello", "hello"), ("0xalex-fn", "fn-0xalex-fn")])
    func serviceName(name: String, expected: String) {
        let function = Function(metadata: ObjectMeta(name: name), spec: FunctionSpec(image: "x"))

        #expect(function.serviceName == expected)
    }

    @Test(
        "Keys that give a part in the platform are reserved",
        arguments: [
            ("team", false), ("role", true), ("farebox.dev/x", true), ("a.farebox.dev/x", true),
            ("notfarebox.dev/x", false),
            ("kubernetes.io/x", true), ("node.kubernetes.io/x", true), ("example.com/role", false), ("k8s-app", true),
            ("sidecar.istio.io/inject", true),
        ])
    func reserved(key: String, expected: Bool) {
        #expect(ReservedMetadata.isReserved(key) == expected)
    }

    @Test(
        "Keys of labels follow Kubernetes' rules",
        arguments: [
            ("a", true), ("a.b/c", true), ("A_b.c-d", true), ("", false), ("/a", false), ("a/", false),
            ("a/b/c", false),
            ("A.b/c", false), ("-a", false), (String(repeating: "a", count: 64), false),
        ])
    func keys(key: String, expected: Bool) {
        #expect(LabelKey.isValid(key) == expected)
    }
}
