import KubernetesTypes
import Synchronization

/// Remembers what was written last to each object, so that a write is not repeated while the watch lags behind it, nor
/// when the server stores it in another form than we sent.
///
/// It only saves requests: forgetting is always safe, and it forgets everything when it grows too large.
final class WriteMemory: Sendable {
    /// Objects remembered at most; beyond that all are forgotten.
    static let objectsMaximum = 20_000

    struct Identity: Hashable {
        let resource: ResourceDescriptor
        let key: ObjectKey
    }

    private struct Entry {
        let digest: String
        let uid: String
        /// The version that was observed before the write, and the one it led to.
        let versions: [String]
    }

    private let entries = Mutex<[Identity: Entry]>([:])

    /// Whether exactly this was written to the object when it looked as it does now, or made it look so.
    ///
    /// Any write by somebody else changes the version, so a change of theirs is never overlooked.
    func isSettled(_ identity: Identity, digest: String, observed: ObjectMeta) -> Bool {
        guard let entry = entries.withLock({ $0[identity] }) else {
            return false
        }
        return entry.digest == digest && entry.uid == observed.uid
            && entry.versions.contains(observed.resourceVersion)
    }

    func note(_ identity: Identity, digest: String, before: ObjectMeta?, after: ObjectMeta) {
        let isSame = before?.uid == after.uid
        let versions = isSame ? [before?.resourceVersion, after.resourceVersion] : [after.resourceVersion]
        entries.withLock { entries in
            if entries.count >= Self.objectsMaximum {
                entries.removeAll()
            }
            entries[identity] = Entry(digest: digest, uid: after.uid, versions: versions.compactMap { $0 })
        }
    }

    func forget(_ identity: Identity) {
        entries.withLock { _ = $0.removeValue(forKey: identity) }
    }
}
