import CRDs
import KubernetesClient
import KubernetesTypes

/// Brings Repository objects into being, under names that do not meet.
struct RepositoryMaker: Sendable {
    let store: any RepositoryStore
    /// Where they are made.
    let namespace: String
    /// What they get beside what the event says; read anew for each event.
    let template: @Sendable () throws(RepositoryTemplate.Refusal) -> RepositoryTemplate
    /// Asked for the default branch where the event does not tell it.
    let head: any RemoteHead

    /// What became of it.
    enum Outcome: Equatable, Sendable {
        /// It was made.
        case made(Repository)
        /// Another replica, or this one before, made it already.
        case there(ObjectKey)
    }

    /// Makes a Repository, unless it is there.
    ///
    /// - Parameters:
    ///   - remote: What the event says.
    ///   - host: The kind of host the event came from.
    ///   - patience: Until when the repository's host may be asked for its default branch.
    /// - Throws: The error of the API; ``RepositoryTemplate/Refusal``; ``PayloadRefusal`` where there is nothing to clone.
    func make(
        _ remote: RemoteRepository, host: GitHostKind, patience: ContinuousClock.Instant
    ) async throws -> Outcome {
        guard let url = remote.cloneURL, let address = RepositoryAddress(url) else {
            throw PayloadRefusal("the repository has no URL to clone over http")
        }
        let template = try template()
        var remote = remote
        if remote.defaultBranch == nil, template.spec.branch == nil {
            remote.defaultBranch = await head.defaultBranch(of: url, until: patience)
        }
        let short = RepositoryName.short(owner: remote.owner, address: address)
        let long = RepositoryName.long(owner: remote.owner, address: address)
        for name in [short, long] {
            let key = ObjectKey(namespace: namespace, name: name)
            let repository = template.repository(for: remote, url: url, named: key, host: host)
            do {
                try await store.create(repository)
                return .made(repository)
            } catch let error as KubernetesError where error.isAlreadyExists {
                if try await holds(key, address) { return .there(key) }
            }
        }
        throw PayloadRefusal(
            "both names for \(address), \(short) and \(long), belong to Repositories of other URLs")
    }

    /// Whether the object of this name is the Repository of that address, and stays.
    private func holds(_ key: ObjectKey, _ address: RepositoryAddress) async throws -> Bool {
        do {
            let present = try await store.read(key)
            return RepositoryAddress(present.spec.url) == address && !present.metadata.isBeingDeleted
        } catch let error as KubernetesError where error.isNotFound {
            return false
        }
    }
}
