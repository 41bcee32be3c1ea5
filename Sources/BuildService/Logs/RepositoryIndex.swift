import Builds
import CRDs
import ControllerRuntime
import KubernetesTypes

/// Finds the Repository objects behind an owner and a repository.
struct RepositoryIndex: Sendable {
    let informer: Informer<Repository>
    private let ownNamespace: String

    private static let byAddress = "address"

    init(_ informers: SharedInformers, ownNamespace: String) {
        informer = informers.informer(Repository.self) { repository in
            // Only the address is read.
            repository.status = nil
        }
        self.ownNamespace = ownNamespace
        informer.addIndex(Self.byAddress) {
            [Self.address($0.metadata.namespace, $0.owner, $0.hostedName)]
        }
    }

    /// Whether all Repositories are known.
    var isComplete: Bool { informer.hasSynced }

    /// The Repositories whose builds have logs below this key, mostly one: there can be one for each branch.
    func repositories(of key: LogKey) -> [Repository] {
        informer.objects(
            index: Self.byAddress, value: Self.address(namespace(of: key), key.owner, key.repository))
    }

    /// The namespace that a key means.
    func namespace(of key: LogKey) -> String { key.namespace ?? ownNamespace }

    private static func address(_ namespace: String, _ owner: OwnerName, _ repository: String) -> String {
        // A line's end is in no part.
        [namespace, owner.lowercased, repository].joined(separator: "\n")
    }
}
