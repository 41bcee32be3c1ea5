import CRDs
import JSON
import KubernetesClient
import KubernetesTypes
import Telemetry

/// Writes what an event does, some Repositories at a time.
struct EventHands: Sendable {
    /// How long the default branches of new repositories may be asked for, over all of them.
    static let patience: Duration = .seconds(4)

    let store: any RepositoryStore
    let recorder: PushRecorder
    let maker: RepositoryMaker
    let host: GitHostKind
    let delivery: String
    /// What to note, where the event is a push.
    let push: PushRequest?
    let logger: Logger

    /// What became of one change.
    enum Outcome: Equatable, Sendable {
        /// The push is noted.
        case noted(ObjectKey)
        /// It is done, or can never be, and why.
        case changed(WebhookAnswer.Change)
        /// It changes nothing, for this reason.
        case nothing(String)
        /// It may succeed when the event is sent again.
        case unfinished

        var isUnfinished: Bool { self == .unfinished }
    }

    /// Does everything; what fails does not hold up the rest.
    func carryOut(_ changes: [RepositoryChange]) async -> [Outcome] {
        let patience = ContinuousClock.now + Self.patience
        // The ordinary push: no group of tasks for one write.
        if changes.count == 1 { return [await carryOut(changes[0], patience)] }
        // Pushes come last: a Repository may have to follow to the branch first.
        let (notes, others) = (changes.filter(\.isNote), changes.filter { !$0.isNote })
        return await all(others, patience) + all(notes, patience)
    }

    private func all(_ changes: [RepositoryChange], _ patience: ContinuousClock.Instant) async -> [Outcome] {
        await withTaskGroup(of: Outcome.self) { group in
            var rest = changes[...]
            for change in rest.prefix(WebhookLimits.changesAtOnceMaximum) {
                group.addTask { await carryOut(change, patience) }
            }
            rest = rest.dropFirst(WebhookLimits.changesAtOnceMaximum)
            var outcomes: [Outcome] = []
            for await outcome in group {
                outcomes.append(outcome)
                if let change = rest.popFirst() { group.addTask { await carryOut(change, patience) } }
            }
            return outcomes
        }
    }

    private func carryOut(_ change: RepositoryChange, _ patience: ContinuousClock.Instant) async -> Outcome {
        do {
            switch change {
            case .note(let repository): return try await note(on: repository)
            case .create(let remote): return try await create(remote, patience)
            case .delete(let repository):
                try await store.delete(repository.key, uid: repository.metadata.uid)
                return done("deleted", repository.key)
            case .patch(let repository, let patch):
                _ = try await store.change(repository.key, patch.fields)
                return done(patch.name, repository.key)
            }
        } catch let error as KubernetesError where error.isNotFound && change.key != nil {
            return .nothing("the Repository is gone")
        } catch let error as KubernetesError where error.isConflict && change.isDelete {
            // Another object of that name: this one is gone.
            return .nothing("the Repository is gone")
        } catch {
            return failed(change, error)
        }
    }

    private func note(on repository: Repository) async throws -> Outcome {
        guard let push else { return .nothing("the push has no commit") }
        switch try await recorder.record(push, on: repository) {
        case .newest:
            logger.info(
                "push noted", ["repository": repository.key, "commit": push.commit, "delivery": delivery])
            return .noted(repository.key)
        case .older(let newer): return .nothing("the newer commit \(newer) is noted already")
        case .repeated: return .nothing("the push was noted before")
        }
    }

    private func create(_ remote: RemoteRepository, _ patience: ContinuousClock.Instant) async throws -> Outcome {
        let outcome = try await maker.make(remote, host: host, patience: patience)
        switch outcome {
        case .made(let repository):
            // Its first commit is found at the branch's head; the push that brought it about need not be noted on it.
            return done("created", repository.key)
        case .there(let key):
            return .nothing("the Repository \(key) is there already")
        }
    }

    private func done(_ what: String, _ key: ObjectKey) -> Outcome {
        logger.info("repository changed", ["change": what, "repository": key, "delivery": delivery])
        return .changed(WebhookAnswer.Change(repository: key.description, what: what))
    }

    /// Tells whether sending the event again can help: not where the object itself is refused.
    private func failed(_ change: RepositoryChange, _ error: any Error) -> Outcome {
        let subject = change.subject
        logger.error(
            "event not carried out on a repository",
            ["repository": subject, "delivery": delivery, "error": "\(error)"])
        let isFinal = (error as? KubernetesError)?.isInvalid == true || error is PayloadRefusal
        return isFinal
            ? .changed(WebhookAnswer.Change(repository: subject, what: "refused: \(error)", isRefused: true))
            : .unfinished
    }
}

extension RepositoryChange {
    fileprivate var isNote: Bool {
        if case .note = self { true } else { false }
    }

    fileprivate var isDelete: Bool {
        if case .delete = self { true } else { false }
    }

    fileprivate var subject: String {
        if case .create(let remote) = self { remote.urls.first ?? remote.owner } else { key?.description ?? "" }
    }
}
