/// The labels that Farebox sets and selects by.
///
/// Tenants cannot set any of these on pods: keys of the group are refused in `spec.labels`.
public enum FareboxLabel {
    /// The owner of a Function, in the form that a label value allows; the exact name is in the annotation of this key.
    public static let owner = "farebox.dev/owner"
    /// The name of a function inside its owner, in the form that a label value allows; exact in the annotation.
    public static let function = "farebox.dev/function"
    /// The name of the Function object that a child belongs to: what Services and policies select by.
    public static let name = "farebox.dev/name"
    /// The name of the Repository object that a Function or Job belongs to.
    public static let repository = "farebox.dev/repository"
    /// The commit that a Function or Job was made from.
    public static let commit = "farebox.dev/commit"
    /// Kubernetes' common label for who manages an object.
    public static let managedBy = "app.kubernetes.io/managed-by"
    /// Kubernetes' common label for the part an object plays.
    public static let component = "app.kubernetes.io/component"
    /// The value of ``managedBy`` on everything that Farebox makes.
    public static let managedByFarebox = "farebox"
    /// The value of ``component`` on the children of a Function.
    public static let functionComponent = "function"
    /// On a Secret: `true` lets OpenFaaS' REST API show, change and remove it, and functions that it deploys name it.
    public static let functionSecret = "farebox.dev/function-secret"
    /// On a namespace: `true` lets OpenFaaS' REST API deploy functions there.
    public static let functions = "farebox.dev/functions"
    /// The group whose keys belong to Farebox.
    public static let group = "farebox.dev"
}
