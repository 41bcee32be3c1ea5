public import KubernetesTypes

/// Brings one object's world to the state it should have.
///
/// It is told only which object: it reads what is, compares it with what should be and does the least. Running it on a
/// settled object sends nothing. It is never run twice at once for one key. An object that is gone is a success.
public protocol Reconciler: Sendable {
    /// Reconciles one object.
    ///
    /// - Throws: ``TerminalError`` when only a change can help; any other error leads to another try with growing waits.
    func reconcile(_ key: ObjectKey) async throws -> ReconcileOutcome
}

/// How a reconcile ended.
public enum ReconcileOutcome: Sendable, Equatable {
    /// Nothing is left to do until something changes.
    case done

    /// To be run again after this time, or up to a tenth later, even if nothing changes.
    case requeue(after: Duration)
}

/// An error that trying again cannot help: the key is left alone until something changes.
///
/// It is logged and counted. Say it in the object's status as well (`Stalled`), since its owner does not read our log.
public struct TerminalError: Error, CustomStringConvertible {
    /// What happened.
    public let cause: any Error

    /// Wraps an error.
    public init(_ cause: any Error) {
        self.cause = cause
    }

    /// What happened, in words.
    public var description: String { "\(cause)" }
}
