import CRDs
import ControllerRuntime
import JSON
import KubernetesClient
import KubernetesTypes

/// What the webhook knows of Repositories, and the one thing it writes on them.
protocol RepositoryDirectory: Sendable {
    /// The Repositories whose URL is one of `addresses`.
    func repositories(at addresses: Set<RepositoryAddress>) -> [Repository]

    /// Notes on a Repository that a commit is to be built.
    func request(_ push: PushRequest, on key: ObjectKey) async throws
}

/// What the webhook notes on a Repository: which commit, when it was asked for, by which delivery.
struct PushRequest: Equatable, Sendable {
    let commit: String
    /// RFC 3339.
    let requestedAt: String
    let delivery: String

    /// The annotations, so that `spec` is never touched: it may belong to a GitOps tool.
    var annotations: [String: String] {
        [
            FareboxAnnotation.requestedCommit: commit,
            FareboxAnnotation.requestedAt: requestedAt,
            FareboxAnnotation.delivery: delivery,
        ]
    }
}

/// The Repositories of a cluster: read from an informer, annotated by a merge patch.
struct ClusterRepositories: RepositoryDirectory {
    private static let addressIndex = "address"

    private let api: any KubernetesAPI
    private let informer: Informer<Repository>

    init(api: any KubernetesAPI, informer: Informer<Repository>) {
        self.api = api
        self.informer = informer
        informer.addIndex(Self.addressIndex) { repository in
            RepositoryAddress(repository.spec.url).map { [$0.description] } ?? []
        }
    }

    func repositories(at addresses: Set<RepositoryAddress>) -> [Repository] {
        addresses.flatMap { informer.objects(index: Self.addressIndex, value: $0.description) }
    }

    func request(_ push: PushRequest, on key: ObjectKey) async throws {
        let annotations = JSONObject(push.annotations.mapValues { JSONValue.string($0) })
        _ = try await api.patch(Repository.self, key, .merge(["metadata": ["annotations": .object(annotations)]]))
    }
}
