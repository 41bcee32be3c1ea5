import Cryptography
import JSON
public import KubernetesClient
public import KubernetesTypes

/// Writes the objects a controller makes for its root object: by server-side apply, and only when something differs.
///
/// Two things are compared. The hash of what was applied, kept in an annotation, tells whether *we* want something else
/// than last time, be it one field less. What is observed tells whether *others* changed a field that is ours.
/// Fields of others stay as they are.
///
/// What exists under the child's name and is not ours is never touched; see ``ChildError``.
public final class ChildWriter: Sendable {
    /// The annotation that holds the hash of what was applied.
    public static let appliedHash = "farebox.dev/applied-hash"

    /// The longest field manager the API takes.
    static let fieldManagerBytesMaximum = 128

    private let api: any KubernetesAPI
    private let fieldManager: String
    private let memory = WriteMemory()

    /// Makes a writer.
    ///
    /// - Parameter fieldManager: Who owns the written fields: a constant of the controller, at most 128 bytes.
    public init(api: any KubernetesAPI, fieldManager: String) {
        precondition(
            (1...Self.fieldManagerBytesMaximum).contains(fieldManager.utf8.count), "a field manager has 1 to 128 bytes")
        self.api = api
        self.fieldManager = fieldManager
    }

    /// Makes or changes a child of `owner`; the owner reference is set here.
    ///
    /// - Parameters:
    ///   - desired: Every field we own, and no other. Its name must be derived from the owner, so that a retry finds it.
    ///   - observed: The child as the informer holds it. Without one the server is asked before anything is made, since
    ///     the informer may be behind, or may not see an object without our labels.
    ///   - owner: The root object, in the child's namespace or cluster-scoped.
    /// - Throws: ``ChildError``, `KubernetesError`.
    @discardableResult
    public func apply<Child: KubernetesResource, Owner: KubernetesResource>(
        _ desired: Child, observed: Child?, owner: Owner, at descriptor: ResourceDescriptor? = nil
    ) async throws -> ChildOutcome {
        guard !owner.metadata.isBeingDeleted else {
            throw ChildError.ownerIsBeingDeleted(owner: "\(Owner.descriptor.kind) \(owner.key)")
        }
        let isReachable = !Owner.descriptor.isNamespaced || owner.metadata.namespace == desired.metadata.namespace
        guard isReachable else {
            throw ChildError.wrongNamespace(
                child: Self.title(desired), owner: "\(Owner.descriptor.kind) \(owner.key)")
        }
        var desired = desired
        desired.metadata.ownerReferences.removeAll { $0.controller == true }
        desired.metadata.ownerReferences.append(OwnerReference(controller: owner))
        return try await apply(
            desired, observed: observed, controller: OwnerReference(controller: owner),
            at: descriptor ?? Child.descriptor)
    }

    /// Makes or changes an object that no other owns: one in another namespace, or one that belongs to the installation.
    ///
    /// - Parameters:
    ///   - desired: Every field we own, and no other.
    ///   - observed: The object as the informer holds it; without one the server is asked first.
    /// - Throws: ``ChildError``, `KubernetesError`.
    @discardableResult
    public func apply<Child: KubernetesResource>(
        _ desired: Child, observed: Child?, at descriptor: ResourceDescriptor? = nil
    ) async throws -> ChildOutcome {
        try await apply(desired, observed: observed, controller: nil, at: descriptor ?? Child.descriptor)
    }

    /// Deletes exactly the object that was observed; one that is gone already is a success.
    ///
    /// - Returns: Whether a request was sent.
    /// - Throws: `KubernetesError`; `isConflict` when another object has taken the name.
    @discardableResult
    public func delete<Child: KubernetesResource>(
        _ observed: Child, propagation: DeleteOptions.Propagation = .background,
        at descriptor: ResourceDescriptor? = nil
    ) async throws -> Bool {
        guard !observed.metadata.isBeingDeleted else {
            return false
        }
        let options = DeleteOptions(uid: observed.metadata.uid, propagation: propagation)
        do {
            try await api.delete(Child.self, observed.key, options: options, at: descriptor)
        } catch let error as KubernetesError where error.isNotFound {
            // Gone: its deletion is on its way to us.
        }
        memory.forget(WriteMemory.Identity(resource: descriptor ?? Child.descriptor, key: observed.key))
        return true
    }

    private func apply<Child: KubernetesResource>(
        _ desired: Child, observed: Child?, controller: OwnerReference?, at descriptor: ResourceDescriptor
    ) async throws -> ChildOutcome {
        var observed = observed
        if observed == nil {
            observed = try await live(Child.self, desired.key, at: descriptor)
        }
        if let observed {
            try check(observed, controller: controller)
            guard !observed.metadata.isBeingDeleted else {
                return .terminating
            }
        }
        var desired = desired
        var manifest = try desired.manifest()
        manifest["status"] = nil
        let digest = SHA256.hash(of: JSONWriter().write(manifest)).hex
        desired.metadata.annotations[Self.appliedHash] = digest
        let identity = WriteMemory.Identity(resource: descriptor, key: desired.key)
        if let observed, try isSettled(observed, desired: manifest, digest: digest, identity: identity) {
            return .unchanged
        }
        let written = try await api.apply(desired, as: fieldManager, force: true, at: descriptor)
        memory.note(identity, digest: digest, before: observed?.metadata, after: written.metadata)
        return observed == nil ? .created : .updated
    }

    private func isSettled<Child: KubernetesResource>(
        _ observed: Child, desired: JSONValue, digest: String, identity: WriteMemory.Identity
    ) throws -> Bool {
        if memory.isSettled(identity, digest: digest, observed: observed.metadata) {
            return true
        }
        guard observed.metadata.annotations[Self.appliedHash] == digest else {
            return false
        }
        var tree = try observed.manifest()
        // The version may differ between the type and what is asked for; the object is the same.
        tree["apiVersion"] = desired["apiVersion"]
        return JSONSubset.holds(desired, in: tree)
    }

    private func live<Child: KubernetesResource>(
        _ type: Child.Type, _ key: ObjectKey, at descriptor: ResourceDescriptor
    ) async throws -> Child? {
        do {
            return try await api.get(type, key, at: descriptor)
        } catch let error as KubernetesError where error.isNotFound {
            return nil
        }
    }

    private func check<Child: KubernetesResource>(_ observed: Child, controller: OwnerReference?) throws(ChildError) {
        let title = Self.title(observed)
        if let present = observed.metadata.controllerReference {
            guard present.uid != controller?.uid else {
                return
            }
            let isPredecessor =
                present.kind == controller?.kind && present.group == controller?.group
                && present.name == controller?.name
            throw isPredecessor
                ? .awaitsGarbageCollection(child: title) : .controlledByAnother(child: title, controller: present)
        }
        guard observed.metadata.annotations[Self.appliedHash] != nil else {
            throw .notOurs(child: title)
        }
    }

    private static func title<Child: KubernetesResource>(_ child: Child) -> String {
        "\(Child.descriptor.kind) \(child.key)"
    }
}

/// What became of a child.
public enum ChildOutcome: Sendable, Hashable {
    /// It was as it should be; nothing was written.
    case unchanged
    /// It was made.
    case created
    /// It was changed.
    case updated
    /// It is being deleted; it can be made anew when it is gone.
    case terminating
}
