import CRDs
import KubernetesTypes
import Testing

@testable import Operator

@Suite("Whose a Secret is")
struct SecretOwnershipTests {
    private static func function(of owner: String?) -> Function {
        var metadata = ObjectMeta(name: "f", namespace: "n")
        if let owner { metadata.annotations = [FareboxAnnotation.owner: owner] }
        return Function(metadata: metadata, spec: FunctionSpec(image: "i"))
    }

    private static func secret(label: String? = nil, annotation: String? = nil) -> ObjectMeta {
        var metadata = ObjectMeta(name: "alex-ellis-key", namespace: "n")
        if let label { metadata.labels[FareboxLabel.owner] = label }
        if let annotation { metadata.annotations[FareboxAnnotation.owner] = annotation }
        return metadata
    }

    @Test(
        "follows from its mark alone, never from its name",
        arguments: [
            (owner: "alex-ellis", label: "alex-ellis", annotation: nil, isAllowed: true),
            ("alex", "alex-ellis", nil, false),
            ("alex", nil, nil, false),
            ("alex-ellis", nil, nil, false),
            ("Alex-Ellis", "alex-ellis", nil, true),
            ("alex", "alex", "alex-ellis", false),
            ("alex-ellis", "alex", "Alex-Ellis", true),
            ("a b", "a-b", nil, false),
            ("a b", nil, "a b", true),
        ] as [(owner: String, label: String?, annotation: String?, isAllowed: Bool)])
    func mark(owner: String, label: String?, annotation: String?, isAllowed: Bool) {
        let trouble = SecretOwnership.trouble(
            with: Self.secret(label: label, annotation: annotation), of: Self.function(of: owner))

        #expect((trouble == nil) == isAllowed)
        if let trouble {
            #expect(trouble.reason == .secretNotOwned)
            #expect(
                trouble.message.contains("alex-ellis-key") && trouble.message.contains("farebox.dev/owner=\(owner)"))
        }
    }

    @Test("does not matter to a Function without an owner, which somebody with rights in the namespace applied")
    func noOwner() {
        #expect(SecretOwnership.trouble(with: Self.secret(label: "alice"), of: Self.function(of: nil)) == nil)
    }
}
