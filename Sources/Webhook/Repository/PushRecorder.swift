import CRDs
import JSON
import KubernetesClient
import KubernetesTypes
import Synchronization
import Timing

/// Writes pushes on Repositories: one request at a time for each, and one for all that came meanwhile.
///
/// However fast somebody pushes, the API server sees at most one write at a time for each Repository; and what is told to
/// a sender as noted is stored. The newest push wins whatever the order of arrival, also over replicas: a write holds only
/// for the version of the object that it was judged by.
final class PushRecorder: Sendable {
    /// How often a write is tried again on a newer version of the object.
    ///
    /// The operator writes some times a second while it builds.
    static let triesMaximum = 8

    private struct Waiter {
        let push: PushRequest
        let continuation: CheckedContinuation<Turn, Never>
    }

    /// What a waiting push is woken for.
    private enum Turn {
        /// Another one wrote for it.
        case told(Result<PushHistory.Verdict, any Error>)
        /// It is its turn to write, for itself and for these.
        case writes([Waiter])
    }

    private let store: any RepositoryStore
    /// Those who wait while one writes, by Repository; no entry where nobody writes.
    private let waiting = Mutex<[ObjectKey: [Waiter]]>([:])

    init(store: any RepositoryStore) {
        self.store = store
    }

    /// Notes a push.
    ///
    /// - Parameters:
    ///   - push: The push.
    ///   - repository: The Repository as far as it is known.
    /// - Returns: What the push turned out to be.
    /// - Throws: The error of the API; the push is not noted then.
    func record(_ push: PushRequest, on repository: Repository) async throws -> PushHistory.Verdict {
        let key = repository.key
        let turn = await withCheckedContinuation { continuation in
            let isFirst = waiting.withLock { waiting in
                guard waiting[key] != nil else {
                    waiting[key] = []
                    return true
                }
                waiting[key]?.append(Waiter(push: push, continuation: continuation))
                return false
            }
            if isFirst { continuation.resume(returning: .writes([])) }
        }
        switch turn {
        case .told(let result): return try result.get()
        case .writes(let others):
            // Not cancelled with this request: the others wait for it as well.
            let store = store
            let pushes = [push] + others.map(\.push)
            let result = await Task {
                do {
                    return Result<[PushHistory.Verdict], any Error>.success(
                        try await Self.write(pushes, on: repository, store))
                } catch {
                    return .failure(error)
                }
            }.value
            for (index, other) in others.enumerated() {
                other.continuation.resume(returning: .told(result.map { $0[index + 1] }))
            }
            passOn(key)
            return try result.get()[0]
        }
    }

    /// Lets the next one write, for all who wait by now.
    private func passOn(_ key: ObjectKey) {
        let next = waiting.withLock { waiting -> (Waiter, [Waiter])? in
            guard let line = waiting[key], let first = line.first else {
                waiting[key] = nil
                return nil
            }
            waiting[key] = []
            return (first, Array(line.dropFirst()))
        }
        next?.0.continuation.resume(returning: .writes(next?.1 ?? []))
    }

    private static func write(
        _ pushes: [PushRequest], on known: Repository, _ store: any RepositoryStore
    ) async throws -> [PushHistory.Verdict] {
        var repository = known
        var tries = 0
        while true {
            tries += 1
            var history = PushHistory(of: repository.metadata)
            let before = history
            let verdicts = pushes.map { history.take($0) }
            let newest = verdicts.lastIndex(of: .newest).map { pushes[$0] }
            guard history != before else { return verdicts }
            do {
                _ = try await store.change(repository.key, fields(history, newest: newest, repository))
                return verdicts
            } catch let error as KubernetesError where error.isConflict && tries < triesMaximum {
                repository = try await store.read(repository.key)
            }
        }
    }

    private static func fields(
        _ history: PushHistory, newest: PushRequest?, _ repository: Repository
    ) -> JSONValue {
        var annotations: JSONObject = [FareboxAnnotation.pushes: .string(history.text)]
        if let newest {
            annotations[FareboxAnnotation.requestedCommit] = .string(newest.commit)
            annotations[FareboxAnnotation.requestedAt] = .string(newest.requestedAt.rfc3339(.seconds))
            annotations[FareboxAnnotation.delivery] = .string(newest.delivery)
        }
        return [
            "metadata": [
                "resourceVersion": .string(repository.metadata.resourceVersion),
                "annotations": .object(annotations),
            ]
        ]
    }
}
