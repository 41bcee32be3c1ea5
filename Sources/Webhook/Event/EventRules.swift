import CRDs
import HTTP
import KubernetesTypes

/// What an event does to the Repositories that are known: a pure decision.
///
/// What a Repository is already is not done to it again, so that an event that comes twice changes nothing the second time.
/// A Repository that somebody applied by hand was allowed by whoever let them: the list of customers is for those that
/// events bring into being.
struct EventRules {
    /// What comes of an event.
    enum Verdict: Equatable {
        /// It is in order and changes nothing, for this reason.
        case ignored(String)
        /// Nobody registered the repository.
        case unknown(String)
        /// It does these things, at least one.
        case changes([RepositoryChange])
    }

    /// Which kind of host the event came from.
    let host: GitHostKind
    /// The Repositories that the event may concern.
    let known: [Repository]
    /// Whether an owner is a customer.
    let allows: (_ owner: String) -> Bool

    /// Told to the owner of a repository that may not be built; it says nothing of who may.
    static let notAllowed = "the owner of the repository is not among those who may build here"

    /// Decides a push.
    func push(_ push: Push) -> Verdict {
        let concerned = at(push.repository)
        guard !concerned.isEmpty else {
            return .unknown("no Repository has this URL: \(push.repository.urls.first ?? "")")
        }
        let allowed = concerned.filter { !needsCustomer($0) || allows(push.repository.owner) }
        guard !allowed.isEmpty else { return .ignored(Self.notAllowed) }
        guard let branch = push.branch else { return .ignored("\(push.reference) is not a branch") }
        var changes = follow(push.repository, allowed)
        let moving = Set(changes.compactMap(\.key))
        let matching = allowed.filter {
            moving.contains($0.key) ? branch == push.repository.defaultBranch : $0.builtBranch == branch
        }
        if case .deletion = push.change {
            return changes.isEmpty
                ? .ignored("the branch \(branch) was deleted; what is deployed stays") : .changes(changes)
        }
        if let message = push.message, CommitMessage.asksToSkip(message) {
            return changes.isEmpty ? .ignored("the commit says skip ci") : .changes(changes)
        }
        changes += matching.map { .note($0) }
        return changes.isEmpty ? .ignored("the branch \(branch) is not built") : .changes(changes)
    }

    /// Decides that repositories may be built from now on.
    func added(_ remotes: [RemoteRepository]) -> Verdict {
        guard !remotes.isEmpty else { return .ignored("no repository is named") }
        let allowed = remotes.filter { allows($0.owner) }
        guard !allowed.isEmpty else { return .ignored(Self.notAllowed) }
        let changes = allowed.flatMap { remote -> [RepositoryChange] in
            let there = at(remote)
            return there.isEmpty ? [.create(remote)] : there.compactMap { adopt($0, remote) }
        }
        return changes.isEmpty ? .ignored("every repository is there already") : .changes(changes)
    }

    /// Decides that repositories may not be built any more.
    ///
    /// - Parameters:
    ///   - concerned: The Repositories.
    ///   - why: For people.
    func removed(_ concerned: [Repository], why: String) -> Verdict {
        let changes = concerned.compactMap { remove($0, why: why) }
        return changes.isEmpty ? .ignored("no Repository is concerned") : .changes(changes)
    }

    /// Decides that an installation is held.
    func suspended(installation: Int64) -> Verdict {
        let changes = known.filter { leads($0) && $0.metadata.annotations[FareboxAnnotation.suspended] == nil }
            .map { RepositoryChange.patch($0, .suspend(.installation(installation))) }
        return changes.isEmpty ? .ignored("no Repository is concerned") : .changes(changes)
    }

    /// Decides that an installation is held no longer.
    func resumed(installation: Int64) -> Verdict {
        let text = Suspension.installation(installation).text
        let changes = known.filter { leads($0) && $0.metadata.annotations[FareboxAnnotation.suspended] == text }
            .map { RepositoryChange.patch($0, .resume) }
        return changes.isEmpty ? .ignored("no Repository is held for this installation") : .changes(changes)
    }

    /// Decides that a repository has another name or owner.
    func moved(_ remote: RemoteRepository, from before: RepositoryAddress) -> Verdict {
        let old = known.filter { leads($0) && RepositoryAddress($0.spec.url) == before }
        let ours = old.filter(\.isMadeByWebhook)
        guard !ours.isEmpty else {
            return .ignored(
                old.isEmpty
                    ? "no Repository has the URL from before"
                    : "the Repository was applied by hand: change its spec.url")
        }
        let isTaken = !remote.addresses.contains(before) && !at(remote).isEmpty
        guard let url = remote.cloneURL else { return .ignored("the repository has no URL to clone") }
        return .changes(
            ours.map { repository in
                // Another owner may not build here, or the other name has its Repository already.
                !allows(remote.owner) || isTaken
                    ? .delete(repository) : .patch(repository, .move(to: remote, url: url))
            })
    }

    /// Decides that a repository has another default branch.
    func branchChanged(_ remote: RemoteRepository) -> Verdict {
        let changes = follow(remote, at(remote))
        return changes.isEmpty ? .ignored("no Repository follows the default branch") : .changes(changes)
    }

    // MARK: - One Repository

    /// The Repositories of one repository.
    func at(_ remote: RemoteRepository) -> [Repository] {
        let addresses = remote.addresses
        return known.filter { repository in
            hears(repository) && (RepositoryAddress(repository.spec.url).map(addresses.contains) ?? false)
        }
    }

    private func hears(_ repository: Repository) -> Bool {
        repository.hears(host) && !repository.metadata.isBeingDeleted
    }

    /// Whether it may be changed; one that another Repository made for a branch follows that one.
    private func leads(_ repository: Repository) -> Bool { hears(repository) && !repository.isDerived }

    /// Whether its owner must be a customer: the webhook made it, or made the one that it is a branch of.
    private func needsCustomer(_ repository: Repository) -> Bool {
        guard repository.isDerived else { return repository.isMadeByWebhook }
        let parent = known.first { $0.metadata.uid == repository.metadata.controllerReference?.uid }
        return parent?.isMadeByWebhook != false
    }

    private func follow(_ remote: RemoteRepository, _ repositories: [Repository]) -> [RepositoryChange] {
        guard let branch = remote.defaultBranch, !branch.isEmpty else { return [] }
        return repositories.filter { $0.followsDefaultBranch && $0.builtBranch != branch }
            .map { .patch($0, .follow(branch)) }
    }

    private func adopt(_ repository: Repository, _ remote: RemoteRepository) -> RepositoryChange? {
        guard leads(repository) else { return nil }
        let isHeld = Suspension.holds(repository)
        let isOther =
            repository.isMadeByWebhook && remote.installationID != nil
            && repository.spec.installationID != remote.installationID
        guard isHeld || isOther else { return nil }
        return .patch(repository, .adopt(installation: isOther ? remote.installationID : nil, resumes: isHeld))
    }

    private func remove(_ repository: Repository, why: String) -> RepositoryChange? {
        guard leads(repository) else { return nil }
        if repository.isMadeByWebhook { return .delete(repository) }
        let suspension = Suspension.left(why)
        // What somebody else holds stays held by them.
        guard repository.metadata.annotations[FareboxAnnotation.suspended] == nil || Suspension.holds(repository),
            repository.metadata.annotations[FareboxAnnotation.suspended] != suspension.text
        else { return nil }
        return .patch(repository, .suspend(suspension))
    }
}
