import Cryptography
import JSON
public import KubernetesClient
public import KubernetesTypes

/// Writes the status of root objects through the status subresource, and only what differs.
///
/// A controller works the whole status out from what it observes and hands it over. What is sent is a merge patch from the
/// observed status to that, bound to the object's uid. Status fields that the type does not know stay.
public final class StatusWriter: Sendable {
    private let api: any KubernetesAPI
    private let memory = WriteMemory()

    /// Makes a writer.
    public init(api: any KubernetesAPI) {
        self.api = api
    }

    /// Writes a status if it is another than the observed one.
    ///
    /// An object that is gone is left alone: its status matters to nobody.
    ///
    /// - Parameters:
    ///   - status: The whole status, without anything that changes at each run.
    ///   - observed: The object as it was read.
    /// - Returns: Whether a request was sent.
    /// - Throws: `KubernetesError`; `isConflict` when another object has taken the name.
    @discardableResult
    public func write<Resource: KubernetesResource>(
        _ status: some Encodable, to observed: Resource
    ) async throws -> Bool {
        let desired = try JSONWriter().value(of: status)
        guard let change = MergePatch.difference(from: try observed.manifest()["status"] ?? .object([:]), to: desired)
        else {
            return false
        }
        let identity = WriteMemory.Identity(resource: Resource.descriptor, key: observed.key)
        let digest = SHA256.hash(of: JSONWriter().write(desired)).hex
        guard !memory.isSettled(identity, digest: digest, observed: observed.metadata) else {
            return false
        }
        let patch: JSONValue = ["metadata": ["uid": .string(observed.metadata.uid)], "status": change]
        do {
            let written = try await api.patch(Resource.self, observed.key, .merge(patch), subresource: "status")
            memory.note(identity, digest: digest, before: observed.metadata, after: written.metadata)
        } catch let error as KubernetesError where error.isNotFound {
            // Gone: its deletion is on its way to us.
        }
        return true
    }
}
