import CRDs
import ControllerRuntime
import JSON
import KubernetesClient
import KubernetesTypes

/// The Repositories that the webhook knows, and what it may do to them.
///
/// The errors are those of the Kubernetes API.
protocol RepositoryStore: Sendable {
    /// The Repositories whose URL is one of `addresses`, perhaps as they were a moment ago.
    func repositories(at addresses: Set<RepositoryAddress>) -> [Repository]

    /// The Repositories that are read through an installation, perhaps as they were a moment ago.
    func repositories(ofInstallation identifier: Int64) -> [Repository]

    /// A Repository as it is now.
    func read(_ key: ObjectKey) async throws -> Repository

    /// Changes a Repository by a merge patch.
    func change(_ key: ObjectKey, _ fields: JSONValue) async throws -> Repository

    /// Makes a Repository.
    func create(_ repository: Repository) async throws

    /// Deletes this very Repository.
    func delete(_ key: ObjectKey, uid: String) async throws
}

/// The Repositories of a cluster: looked up in an informer, changed through the API.
struct ClusterRepositories: RepositoryStore {
    private static let addressIndex = "address"
    private static let installationIndex = "installation"

    private let api: any KubernetesAPI
    private let informer: Informer<Repository>

    init(api: any KubernetesAPI, informer: Informer<Repository>) {
        self.api = api
        self.informer = informer
        informer.addIndex(Self.addressIndex) { repository in
            RepositoryAddress(repository.spec.url).map { [$0.description] } ?? []
        }
        informer.addIndex(Self.installationIndex) { repository in
            repository.spec.installationID.map { [String($0)] } ?? []
        }
    }

    func repositories(at addresses: Set<RepositoryAddress>) -> [Repository] {
        addresses.flatMap { informer.objects(index: Self.addressIndex, value: $0.description) }
    }

    func repositories(ofInstallation identifier: Int64) -> [Repository] {
        informer.objects(index: Self.installationIndex, value: String(identifier))
    }

    func read(_ key: ObjectKey) async throws -> Repository { try await api.get(Repository.self, key) }

    func change(_ key: ObjectKey, _ fields: JSONValue) async throws -> Repository {
        try await api.patch(Repository.self, key, .merge(fields))
    }

    func create(_ repository: Repository) async throws { _ = try await api.create(repository) }

    func delete(_ key: ObjectKey, uid: String) async throws {
        try await api.delete(Repository.self, key, options: DeleteOptions(uid: uid, propagation: .background))
    }
}

extension Repository {
    /// Whether the webhook made it, so that it goes with its installation.
    var isMadeByWebhook: Bool {
        metadata.annotations[FareboxAnnotation.createdBy] == FareboxAnnotation.createdByWebhook
    }

    /// Whether another Repository made it for one of its branches: it lives and dies with that one.
    var isDerived: Bool { metadata.controllerReference?.kind == Repository.descriptor.kind }

    /// Whether events of a kind of host may change it.
    ///
    /// One that names GitHub or GitLab hears of that host only: whoever knows another host's secret cannot speak for it.
    func hears(_ host: GitHostKind) -> Bool {
        switch spec.provider {
        case nil, .git: true
        case let provider?: provider == host.provider
        }
    }

    /// The branch that is built.
    var builtBranch: String { spec.branch ?? RepositorySpec.branchDefault }

    /// Whether its branch follows the default branch at its host: the webhook set it, and nobody another one since.
    var followsDefaultBranch: Bool {
        isMadeByWebhook && !isDerived && metadata.annotations[FareboxAnnotation.defaultBranch] == builtBranch
    }
}
