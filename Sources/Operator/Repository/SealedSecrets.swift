import Builds
import CRDs
import JSON
import KubernetesClient
import KubernetesTypes
import Synchronization

/// Applies the sealed Secrets of repositories; the Sealed Secrets controller makes Secrets of them.
///
/// What it remembers only saves requests: a process that knows nothing applies everything once more.
final class SealedSecrets: Sendable {
    private let api: any KubernetesAPI
    private let fieldManager: String
    /// What was applied last, by the uid of the Repository.
    private let applied = Mutex<[String: Mark]>([:])

    private struct Mark: Hashable {
        let commit: String
        let occasion: String
    }

    static let descriptor = ResourceDescriptor(
        group: "bitnami.com", version: "v1alpha1", kind: "SealedSecret", plural: "sealedsecrets")

    init(api: any KubernetesAPI, fieldManager: String) {
        self.api = api
        self.fieldManager = fieldManager
    }

    /// Applies the Secrets of a commit unless that was done.
    ///
    /// - Parameters:
    ///   - secrets: What the commit brings; none costs no request.
    ///   - commit: The commit.
    ///   - repository: Whose it is.
    /// - Throws: ``Builds/BuildFailure``: `SealedSecretsUnavailable` when the cluster knows no SealedSecret, `NameTaken`
    ///   when a name belongs to another owner or repository, `Invalid` and `QuotaExceeded` when the API server refuses
    ///   one; `KubernetesError` when it does not answer.
    func apply(_ secrets: [SealedSecret], commit: String, for repository: Repository) async throws {
        let uid = repository.metadata.uid
        let request = SourceRequest(repository, commit: commit)
        let mark = Mark(commit: commit, occasion: request.occasion)
        guard !secrets.isEmpty, applied.withLock({ $0[uid] != mark }) else { return }
        for secret in secrets { try await apply(secret, for: repository) }
        applied.withLock { $0[uid] = mark }
    }

    /// Forgets a Repository.
    func forget(uid: String) { applied.withLock { $0[uid] = nil } }

    private func apply(_ secret: SealedSecret, for repository: Repository) async throws {
        let key = ObjectKey(namespace: repository.metadata.namespace, name: secret.name)
        if let observed = try await observed(key) {
            try Self.checkOwner(of: observed, "SealedSecret \(key)", repository)
        }
        do {
            // A Secret of that name that nobody made of a SealedSecret may be another owner's.
            let existing = try await api.get(Secret.self, key)
            try Self.checkOwner(of: try existing.manifest(), "Secret \(key)", repository)
        } catch let error as KubernetesError where error.isNotFound {}
        let root = Self.root(of: repository)
        var manifest = secret.manifest(
            namespace: key.namespace, labels: Self.labels(of: repository), annotations: Self.annotations(of: repository)
        )
        manifest[path: "metadata", "ownerReferences"] = [
            [
                "apiVersion": .string(Repository.descriptor.apiVersion), "kind": .string(Repository.descriptor.kind),
                "name": .string(root.name), "uid": .string(root.uid),
            ]
        ]
        do {
            _ = try await api.apply(manifest, to: key, of: Self.descriptor, as: fieldManager)
        } catch let error as KubernetesError where error.isNotFound {
            throw BuildFailure(
                .sealedSecretsUnavailable,
                "\(SealedSecretFile.name) needs the Sealed Secrets controller, and this cluster does not know its "
                    + "SealedSecret (sealedsecrets.bitnami.com); ask the administrator to install it, or to create the Secret "
                    + "\(secret.name) in namespace \(key.namespace)")
        } catch let error as KubernetesError where error.isInvalid || error.isForbidden {
            throw BuildFailure(
                error.isInvalid ? .invalid : .quotaExceeded, "the API server refuses SealedSecret \(key): \(error)")
        }
    }

    private func observed(_ key: ObjectKey) async throws -> JSONValue? {
        do {
            return try await api.get(Self.descriptor, key)
        } catch let error as KubernetesError where error.isNotFound {
            return nil
        }
    }

    /// `alex` + `ellis-db` and `alex-ellis` + `db` give one name: it belongs to the one who had it first.
    private static func checkOwner(
        of object: JSONValue, _ name: String, _ repository: Repository
    ) throws(BuildFailure) {
        let annotations = object[path: "metadata", "annotations"]
        let owner = annotations?[FareboxAnnotation.owner]?.stringValue
        let source = object[path: "metadata", "labels"]?[FareboxLabel.repository]?.stringValue
        guard let owner, OwnerName(owner) == repository.owner, source == labels(of: repository)[FareboxLabel.repository]
        else {
            throw BuildFailure(
                .nameTaken,
                "\(name) exists and was not made from this repository"
                    + (owner.map { " (its owner is \($0))" } ?? "") + "; choose another name")
        }
    }

    /// The Repository that further branches were made for: all branches bring the same Secrets, and none takes them along
    /// when it goes.
    private static func root(of repository: Repository) -> (name: String, uid: String) {
        if let parent = repository.metadata.controllerReference, parent.kind == Repository.descriptor.kind {
            return (parent.name, parent.uid)
        }
        return (repository.metadata.name, repository.metadata.uid)
    }

    private static func labels(of repository: Repository) -> [String: String] {
        [
            FareboxLabel.managedBy: FareboxLabel.managedByFarebox,
            FareboxLabel.owner: LabelValue.sanitised(repository.owner.display),
            FareboxLabel.repository: LabelValue.sanitised(root(of: repository).name),
        ]
    }

    private static func annotations(of repository: Repository) -> [String: String] {
        [FareboxAnnotation.owner: repository.owner.display]
    }
}
