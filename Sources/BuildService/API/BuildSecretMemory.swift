import Builds
import CRDs
import KubernetesClient
import KubernetesTypes
import Synchronization

/// The values of build secrets, for as long as logs have to be masked with them; they are in no file and no answer.
final class BuildSecretMemory: Sendable {
    private let values = Mutex<[String: [String]]>([:])

    /// The label of pods whose steps may mount secrets.
    static let label = FareboxLabel.group + "/build-secrets"

    /// Remembers the secrets of a build.
    func remember(_ task: BuildTask) {
        guard !task.secrets.isEmpty else { return }
        let texts = task.secrets.values.map { String(decoding: $0, as: UTF8.self) }
        values.withLock { $0[task.id] = texts }
    }

    /// Forgets a build's.
    func forget(_ id: String) { values.withLock { _ = $0.removeValue(forKey: id) } }

    /// What the log of a pod must not show.
    ///
    /// - Throws: `KubernetesError` when the pod has secrets that this process does not know: an earlier one began it.
    func values(for pod: Pod) throws -> [String] {
        guard pod.metadata.labels[Self.label] != nil else { return [] }
        let id = pod.metadata.labels[BuildJobs.idLabel] ?? ""
        guard let values = values.withLock({ $0[id] }) else {
            throw KubernetesError.configuration("the secrets of build \(id) are not known any more")
        }
        return values
    }
}
