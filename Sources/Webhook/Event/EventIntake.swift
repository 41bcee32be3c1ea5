import CRDs
import HTTP
import KubernetesClient
import KubernetesTypes
import Telemetry
import Timing

/// Carries out events: finds the Repositories concerned, lets ``EventRules`` decide, and writes.
///
/// Everything it does can be done twice. Where a part fails that may succeed later, the sender is asked to send the event
/// again; what was done is not undone.
struct EventIntake: Sendable {
    let store: any RepositoryStore
    let recorder: PushRecorder
    let customers: any CustomerSource
    /// Asks GitLab whether projects are installed; nil where nobody configured that.
    let topics: (any ProjectTopics)?
    /// The topic by which a GitLab project is installed.
    let topic: String
    let maker: RepositoryMaker
    let now: @Sendable () -> Timestamp
    let logger: Logger

    /// Takes a genuine event.
    ///
    /// - Parameters:
    ///   - event: What happened.
    ///   - host: The kind of host that tells.
    ///   - delivery: The delivery's name.
    func take(_ event: GitEvent, from host: GitHostKind, delivery: String) async -> WebhookAnswer {
        do {
            switch event {
            case .ping: return .ignored("pong")
            case .other(let reason): return .ignored(reason)
            case .push(let push): return try await take(push, host, delivery)
            case .changed(let remote): return try await look(at: remote, host, delivery)
            default: return await carryOut(try await decide(event, host), push: nil, host, delivery)
            }
        } catch is CustomerSourceError {
            // Logged where it was found, once for all deliveries.
            return .unavailable("the list of customers cannot be read now")
        } catch let error as ProjectTopicsError {
            logger.error("GitLab cannot be asked about a project", ["delivery": delivery, "error": "\(error)"])
            return .unavailable("the project's topics cannot be read now")
        } catch {
            logger.error("event not carried out", ["delivery": delivery, "error": "\(error)"])
            return .unavailable("the event could not be carried out")
        }
    }

    // MARK: - Deciding

    private func decide(_ event: GitEvent, _ host: GitHostKind) async throws -> EventRules.Verdict {
        switch event {
        case .added(let remotes):
            return try await rules(host, at: remotes).added(remotes)
        case .removed(let remotes, let why):
            let rules = closedRules(host, at: remotes)
            return rules.removed(remotes.flatMap(rules.at), why: why)
        case .uninstalled(let installation, let remotes):
            let rules = closedRules(host, at: remotes, installation: installation)
            return rules.removed(rules.known, why: "installation \(installation) of the GitHub App is gone")
        case .suspended(let installation, let remotes):
            return closedRules(host, at: remotes, installation: installation).suspended(installation: installation)
        case .resumed(let installation, let remotes):
            return closedRules(host, at: remotes, installation: installation).resumed(installation: installation)
        case .moved(let remote, let before):
            return try await rules(host, at: [remote], and: [before]).moved(remote, from: before)
        case .branchChanged(let remote):
            return closedRules(host, at: [remote]).branchChanged(remote)
        case .ping, .push, .changed, .other: return .ignored("nothing is to be done")
        }
    }

    private func take(_ push: Push, _ host: GitHostKind, _ delivery: String) async throws -> WebhookAnswer {
        let known = store.repositories(at: push.repository.addresses)
        let needsList = known.contains(where: \.isMadeByWebhook)
        let list = needsList ? try await customers.list() : .closed
        let rules = EventRules(host: host, known: known, allows: list.allows)
        let verdict = rules.push(push)
        if case .unknown(let reason) = verdict, host == .gitLab {
            return try await install(push, delivery, orElse: reason)
        }
        return await carryOut(verdict, push: push, host, delivery)
    }

    /// A push to a GitLab project that nobody registered: it may be installed by its topic.
    ///
    /// The answer is never a 404: GitLab switches off a hook that is answered so, and a system hook tells of every project.
    private func install(
        _ push: Push, _ delivery: String, orElse reason: String
    ) async throws -> WebhookAnswer {
        var remote = push.repository
        let isInstalled = try await isInstalled(&remote, isChanged: false) ?? false
        guard isInstalled else { return .ignored("\(reason), and the project lacks the topic '\(topic)'") }
        let verdict = try await rules(.gitLab, at: [remote]).added([remote])
        return await carryOut(verdict, push: push, .gitLab, delivery)
    }

    /// GitLab says that something about a project changed: perhaps its topics, perhaps its default branch.
    private func look(
        at remote: RemoteRepository, _ host: GitHostKind, _ delivery: String
    ) async throws
        -> WebhookAnswer
    {
        var remote = remote
        guard let isInstalled = try await isInstalled(&remote, isChanged: true) else {
            return .ignored("projects' topics are not looked at here: webhook.gitLab is not configured")
        }
        guard isInstalled else {
            // One that somebody applied by hand needs no topic.
            let rules = closedRules(host, at: [remote])
            let verdict = rules.removed(
                rules.at(remote).filter(\.isMadeByWebhook), why: "the project lost the topic '\(topic)'")
            return await carryOut(verdict, push: nil, host, delivery)
        }
        let rules = try await rules(host, at: [remote])
        var changes: [RepositoryChange] = []
        for verdict in [rules.added([remote]), rules.branchChanged(remote)] {
            if case .changes(let some) = verdict { changes += some }
        }
        return await carryOut(
            changes.isEmpty ? rules.added([remote]) : .changes(changes), push: nil, host, delivery)
    }

    /// Whether a GitLab project bears the topic, by GitLab's own word where it can be asked, else by the event's.
    ///
    /// - Returns: Nil where nobody tells.
    private func isInstalled(_ remote: inout RemoteRepository, isChanged: Bool) async throws -> Bool? {
        guard let topics, let identifier = remote.projectID else {
            return remote.topics.map { GitLabProject(topics: $0, defaultBranch: nil).bears(topic) }
        }
        guard let project = try await topics.project(identifier, isChanged: isChanged) else { return false }
        // The number of one project beside the name of another is nobody's project.
        if let path = project.path, !remote.addresses.contains(where: { $0.ends(with: path) }) { return false }
        remote.defaultBranch = remote.defaultBranch ?? project.defaultBranch
        return project.bears(topic)
    }

    private func rules(
        _ host: GitHostKind, at remotes: [RemoteRepository], and addresses: Set<RepositoryAddress> = []
    ) async throws -> EventRules {
        let list = try await customers.list()
        return EventRules(
            host: host, known: store.repositories(at: Self.addresses(remotes).union(addresses)), allows: list.allows)
    }

    /// Rules for events that let nobody in, which need no list.
    private func closedRules(
        _ host: GitHostKind, at remotes: [RemoteRepository], installation: Int64? = nil
    ) -> EventRules {
        var known: [ObjectKey: Repository] = [:]
        let through = installation.map { store.repositories(ofInstallation: $0) } ?? []
        for repository in store.repositories(at: Self.addresses(remotes)) + through {
            known[repository.key] = repository
        }
        return EventRules(
            host: host, known: known.values.sorted { $0.key.description < $1.key.description }, allows: { _ in false })
    }

    private static func addresses(_ remotes: [RemoteRepository]) -> Set<RepositoryAddress> {
        remotes.reduce(into: []) { $0.formUnion($1.addresses) }
    }

    // MARK: - Doing

    private func carryOut(
        _ verdict: EventRules.Verdict, push: Push?, _ host: GitHostKind, _ delivery: String
    ) async -> WebhookAnswer {
        let changes: [RepositoryChange]
        switch verdict {
        case .ignored(let reason): return .ignored(reason)
        case .unknown(let reason): return .refused(.notFound, reason)
        case .changes(let all): changes = all
        }
        let hands = EventHands(
            store: store, recorder: recorder, maker: maker, host: host, delivery: delivery,
            push: push.flatMap { request($0, delivery) }, logger: logger)
        let results = await hands.carryOut(changes)
        let failed = results.count { $0.isUnfinished }
        guard failed == 0 else {
            return .unavailable("\(failed) of \(results.count) changes could not be written; send it again")
        }
        return Self.answer(results, push)
    }

    private func request(_ push: Push, _ delivery: String) -> PushRequest? {
        guard case .commit(let commit) = push.change else { return nil }
        return PushRequest(
            commit: commit, before: push.before, pushedAt: push.pushedAt, requestedAt: now(), delivery: delivery)
    }

    private static func answer(_ results: [EventHands.Outcome], _ push: Push?) -> WebhookAnswer {
        var noted: [ObjectKey] = []
        var changes: [WebhookAnswer.Change] = []
        var reason = "the Repository is gone"
        for result in results {
            switch result {
            case .noted(let key): noted.append(key)
            case .changed(let change): changes.append(change)
            case .nothing(let why): reason = why
            case .unfinished: continue
            }
        }
        if case .commit(let commit)? = push?.change, !noted.isEmpty { return .noted(noted, commit: commit) }
        return changes.isEmpty ? .ignored(reason) : .changed(changes)
    }
}
