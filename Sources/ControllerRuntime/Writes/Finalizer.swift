import JSON
public import KubernetesClient
public import KubernetesTypes

/// Keeps an object from vanishing before what was done for it outside of the cluster is undone.
///
/// It is stored before the first effect and removed after the last clean-up. Both writes are JSON Patches that test what
/// was observed, so an entry of another controller is never lost: when somebody was faster the patch fails, and the next
/// reconcile sees the new list. For children inside the namespace owner references do without a finalizer.
///
/// It does not promise that the object still exists when `apply` runs: an API server that lags behind can show one that is
/// gone. So undo the effect also when the informer has no object for the key.
public struct Finalizer: Sendable {
    /// What is to be done with an object.
    enum Step: Equatable {
        /// The finalizer is missing and the object stays: store it and do nothing else.
        case add
        /// It is stored.
        case reconcile
        /// The object is going, and ours is still there.
        case cleanUp
        /// The object is going and nothing of ours is left.
        case none
    }

    /// The entry in `metadata.finalizers`, such as `farebox.dev/receipts`.
    public let name: String

    private let api: any KubernetesAPI

    /// Makes a finalizer.
    ///
    /// - Parameter name: A domain, a slash and a name; it must never change.
    public init(name: String, api: any KubernetesAPI) {
        self.name = name
        self.api = api
    }

    /// Runs one pass over an object.
    ///
    /// - Parameters:
    ///   - object: As it was read.
    ///   - apply: Runs only once the finalizer is stored.
    ///   - cleanUp: Undoes everything, also what was done only in part or not at all. The finalizer is removed when it says
    ///     `done`.
    /// - Throws: ``StaleObject`` when the object changed in the meantime, `KubernetesError`, and what the closures throw.
    public func reconcile<Resource: KubernetesResource>(
        _ object: Resource, apply: () async throws -> ReconcileOutcome, cleanUp: () async throws -> ReconcileOutcome
    ) async throws -> ReconcileOutcome {
        switch step(for: object.metadata) {
        case .add:
            // The change that this write makes brings the next pass.
            try await patch(object, addition(to: object.metadata))
            return .done
        case .reconcile: return try await apply()
        case .cleanUp:
            let outcome = try await cleanUp()
            guard outcome == .done else {
                return outcome
            }
            try await patch(object, removal(from: object.metadata))
            return .done
        case .none: return .done
        }
    }

    func step(for metadata: ObjectMeta) -> Step {
        let isStored = metadata.finalizers.contains(name)
        if metadata.isBeingDeleted {
            return isStored ? .cleanUp : .none
        }
        return isStored ? .reconcile : .add
    }

    func addition(to metadata: ObjectMeta) -> [Patch.Operation] {
        let path = "/metadata/finalizers"
        guard !metadata.finalizers.isEmpty else {
            return [.test(path: path, value: .null), .add(path: path, value: [.string(name)])]
        }
        let list = JSONValue.array(metadata.finalizers.map { .string($0) })
        return [.test(path: path, value: list), .add(path: path + "/-", value: .string(name))]
    }

    func removal(from metadata: ObjectMeta) -> [Patch.Operation] {
        guard let index = metadata.finalizers.firstIndex(of: name) else {
            return []
        }
        let path = "/metadata/finalizers/\(index)"
        return [.test(path: path, value: .string(name)), .remove(path: path)]
    }

    private func patch<Resource: KubernetesResource>(
        _ object: Resource, _ operations: [Patch.Operation]
    ) async throws {
        do {
            _ = try await api.patch(Resource.self, object.key, .json([.identity(of: object)] + operations))
        } catch let error as KubernetesError where error.isNotFound {
            // Gone: nothing is left to hold or to let go.
        } catch let error as KubernetesError where error.isConflict || error.isFailedTest {
            throw StaleObject(object: "\(Resource.descriptor.kind) \(object.key)")
        }
    }
}
