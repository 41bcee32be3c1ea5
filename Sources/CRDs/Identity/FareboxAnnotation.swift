/// The annotations that Farebox sets and reads.
public enum FareboxAnnotation {
    /// The exact name of a Function's owner, with its case.
    public static let owner = "farebox.dev/owner"
    /// The exact name of a function inside its owner.
    public static let function = "farebox.dev/function"
    /// On a Repository: the commit that the last push event asked for.
    public static let requestedCommit = "farebox.dev/requested-commit"
    /// On a Repository: when that event came, RFC 3339.
    public static let requestedAt = "farebox.dev/requested-at"
    /// On a Repository: the delivery id of that event.
    public static let delivery = "farebox.dev/delivery"
    /// On a Repository: the last pushes that were told of, newest first.
    ///
    /// One a line: commit, the commit before, seconds since 1970 by the Git host's clock, delivery id; `-` for what is not
    /// known. The first is the one in ``requestedCommit``; the others were superseded by it.
    public static let pushes = "farebox.dev/pushes"
    /// The value of ``createdBy`` on Repositories that an event of a Git host brought into being.
    public static let createdByWebhook = "webhook"
    /// On a Repository that the webhook made: the default branch at its Git host as last told.
    ///
    /// While `spec.branch` is the same, it follows the Git host.
    public static let defaultBranch = "farebox.dev/default-branch"
    /// On a Repository or Function: any new value asks for a reconcile now.
    public static let reconcileRequestedAt = "farebox.dev/reconcile-requested-at"
    /// On a Repository: why the Git host suspended it; while it is there nothing is built and no call is let through.
    public static let suspended = "farebox.dev/suspended"
    /// On a Repository: which part of Farebox made it; only such are deleted when the Git host takes them away.
    public static let createdBy = "farebox.dev/created-by"
    /// The exact name of the branch that a Function was built from.
    public static let branch = "farebox.dev/branch"
    /// On a Deployment: which version of the registry credentials its pull Secret holds.
    public static let pullCredentials = "farebox.dev/pull-credentials"
    /// On a Receipt that Farebox made: where its stream stood in the ledger.
    public static let ledgerCursor = "farebox.dev/ledger-cursor"
    /// On a Receipt that Farebox made: when its stream grew last, RFC 3339.
    public static let changedAt = "farebox.dev/changed-at"
    /// On a Function: what a client of OpenFaaS' REST API said and the Function has no field for, as JSON.
    public static let client = "farebox.dev/openfaas"
    /// On a Function: when it was last asked for, RFC 3339; any new value asks the registry anew what the image's tag is.
    ///
    /// On its Deployment: the value that the image was looked up for.
    public static let deployedAt = "farebox.dev/deployed-at"
}
