import Cryptography
import JSON
public import KubernetesClient
public import KubernetesTypes

/// Writes the status of root objects through the status subresource, and only what differs.
///
/// A controller works the whole status out from what it observes and hands it over. What is sent is a JSON Patch of the
/// members that differ from the observed ones, bound to the object's uid by a `test`: a merge patch would not do, since
/// the API server ignores metadata on the way to the subresource. Members that the type does not know stay.
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
    ///   - isShared: Whether another process writes to the same status. Lists such as the conditions are written whole, so
    ///     then nothing is written over a version that was not observed.
    /// - Returns: Whether a request was sent.
    /// - Throws: ``StaleObject`` when another object has taken the name, or the status is not the observed one any more;
    ///   `KubernetesError`.
    @discardableResult
    public func write<Resource: KubernetesResource>(
        _ status: some Encodable, to observed: Resource, isShared: Bool = false
    ) async throws -> Bool {
        let desired = try JSONWriter().value(of: status)
        let operations = Self.operations(from: try observed.manifest()["status"], to: desired)
        guard !operations.isEmpty else {
            return false
        }
        let identity = WriteMemory.Identity(resource: Resource.descriptor, key: observed.key)
        let digest = SHA256.hash(of: JSONWriter().write(desired)).hex
        guard !memory.isSettled(identity, digest: digest, observed: observed.metadata) else {
            return false
        }
        do {
            let tests: [Patch.Operation] = [.identity(of: observed)] + (isShared ? [.version(of: observed)] : [])
            let written = try await api.patch(
                Resource.self, observed.key, .json(tests + operations), subresource: "status")
            // What was observed may have been out of date: then the members that differed from it are not all that differ,
            // and the next pass has to see the rest.
            let isReached = Self.operations(from: try written.manifest()["status"], to: desired).isEmpty
            if isReached {
                memory.note(identity, digest: digest, before: observed.metadata, after: written.metadata)
            } else {
                memory.forget(identity)
            }
        } catch let error as KubernetesError where error.isNotFound {
            // Gone: its deletion is on its way to us.
        } catch let error as KubernetesError where error.isFailedTest {
            throw StaleObject(object: "\(Resource.descriptor.kind) \(observed.key)")
        }
        return true
    }

    /// The operations that turn one status into another, member by member; none when they are equal.
    static func operations(from observed: JSONValue?, to desired: JSONValue) -> [Patch.Operation] {
        guard case .object(let old)? = observed, case .object(let new) = desired else {
            let isSame = observed == desired || (observed == nil && desired == .object([:]))
            return isSame ? [] : [.add(path: "/status", value: desired)]
        }
        let changed = new.filter { old[$0.key] != $0.value }
        let dropped = old.filter { new[$0.key] == nil }
        return changed.map { .add(path: "/status/" + Patch.pointerPart($0.key), value: $0.value) }
            + dropped.map { .remove(path: "/status/" + Patch.pointerPart($0.key)) }
    }
}
