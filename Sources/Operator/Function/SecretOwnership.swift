import CRDs
import KubernetesTypes

/// Whether a function may see a Secret.
///
/// A function with an owner sees only what is marked as that owner's. Its Secret's name begins with the owner's, and that
/// alone tells nothing: `alex-ellis-key` is what `alex` gets by asking for `ellis-key`, and `alex-ellis` by asking for `key`.
enum SecretOwnership {
    /// Why `function` may not see the Secret; nil when it may.
    static func trouble(with secret: ObjectMeta, of function: Function) -> FunctionTrouble? {
        guard let owner = function.identity?.owner, !isMarked(secret, as: owner) else { return nil }
        let verb = LabelValue.isValid(owner.display) ? "label" : "annotate"
        let remedy =
            "kubectl \(verb) secret \(secret.name) -n \(secret.namespace) '\(FareboxLabel.owner)=\(owner.display)'"
        return FunctionTrouble(
            .secretNotOwned,
            """
            the Secret \(secret.name) is not marked as \(owner.display)'s; if it is meant for this owner's functions, say so: \
            \(remedy)
            """)
    }

    /// The annotation wins; the label is as good where it can hold the exact name.
    private static func isMarked(_ secret: ObjectMeta, as owner: OwnerName) -> Bool {
        if let exact = secret.annotations[FareboxAnnotation.owner], !exact.isEmpty { return OwnerName(exact) == owner }
        guard let label = secret.labels[FareboxLabel.owner], LabelValue.isValid(owner.display) else { return false }
        return OwnerName(label) == owner
    }
}
