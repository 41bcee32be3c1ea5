import CRDs
import KubernetesClient
import KubernetesTypes
import Synchronization
import Testing
import Timing

@testable import Webhook

@Suite("The history of pushes")
struct PushHistoryTests {
    static let (a, b, c) = (
        String(repeating: "a", count: 40), String(repeating: "b", count: 40), String(repeating: "c", count: 40)
    )

    static func push(
        _ commit: String, after before: String? = nil, at seconds: Int64? = nil, delivery: String = "new"
    ) -> PushRequest {
        PushRequest(
            commit: commit, before: before, pushedAt: seconds.map { Timestamp(secondsSinceEpoch: $0) },
            requestedAt: Desk.now, delivery: delivery)
    }

    static func history(_ pushes: [PushRequest]) -> PushHistory {
        var history = PushHistory(of: ObjectMeta())
        for (index, push) in pushes.enumerated() {
            _ = history.take(
                PushRequest(
                    commit: push.commit, before: push.before, pushedAt: push.pushedAt, requestedAt: push.requestedAt,
                    delivery: "old-\(index)"))
        }
        return history
    }

    @Test(
        "A push is judged by what it follows and by the host's clock, not by when it comes",
        arguments: [
            (push(b, after: a), [], PushHistory.Verdict.newest),
            (push(b, after: a), [push(a)], .newest),
            (push(b, after: a), [push(c, after: b)], .older(than: c)),
            (push(a, after: b), [push(b, after: a)], .newest),
            (push(b, after: a, at: 100), [push(c, after: b, at: 100)], .older(than: c)),
            (push(b, after: a, at: 99), [push(c, at: 100)], .older(than: c)),
            (push(b, after: a, at: 101), [push(c, at: 100)], .newest),
            (push(b, at: 500), [push(c, after: b, at: 100)], .newest),
            (push(b, at: 101), [push(c, after: b, at: 100)], .older(than: c)),
            (push(b, at: 100), [push(b, at: 100)], .repeated),
            (push(b, at: 101), [push(b, at: 100)], .newest),
            (push(b), [push(b)], .newest),
        ] as [(PushRequest, [PushRequest], PushHistory.Verdict)])
    func order(push: PushRequest, before: [PushRequest], verdict: PushHistory.Verdict) {
        var history = Self.history(before)

        let result = history.take(push)

        #expect(result == verdict)
        #expect(
            history.entries.first?.commit == (verdict == .newest || before.isEmpty ? push.commit : before.last?.commit))
    }

    @Test("A delivery that was noted is known, also when it was superseded since")
    func known() {
        var history = Self.history([Self.push(Self.a), Self.push(Self.b), Self.push(Self.c)])

        #expect(history.take(Self.push(Self.a, delivery: "old-0")) == .repeated)
        #expect(history.entries.first?.commit == Self.c)
    }

    @Test("It is kept in an annotation, bounded, and what makes no sense in it is dropped")
    func text() {
        let full = Self.history(
            (0..<20).map { Self.push(String(repeating: "0", count: 38) + String($0 + 10), at: $0 + 1) })
        let metadata = ObjectMeta(annotations: [
            FareboxAnnotation.pushes: full.text + "\nnonsense\na b c d",
            FareboxAnnotation.requestedCommit: full.entries.first?.commit ?? "",
        ])

        let again = PushHistory(of: metadata)

        #expect(full.entries.count == PushHistory.entriesMaximum)
        #expect(again == full)
    }

    @Test("A commit that somebody asked for without a history counts as the newest")
    func foreign() {
        let metadata = ObjectMeta(annotations: [
            FareboxAnnotation.requestedCommit: Self.a, FareboxAnnotation.delivery: "d-0",
        ])
        var history = PushHistory(of: metadata)

        #expect(history.take(Self.push(Self.b, delivery: "d-0")) == .repeated)
        #expect(history.take(Self.push(Self.b, after: Self.a)) == .newest)
    }
}

@Suite("The recorder of pushes")
struct PushRecorderTests {
    @Test("However many pushes come at once, all are stored and the newest wins")
    func together() async throws {
        let store = MemoryStore([Desk.applied()])
        let recorder = PushRecorder(store: store)
        let known = try #require(store.objects["hello"])
        let commits = (0..<200).map { String(repeating: "0", count: 37) + String($0 + 100) }

        let verdicts = try await withThrowingTaskGroup(of: PushHistory.Verdict.self) { group in
            for (index, commit) in commits.enumerated() {
                group.addTask {
                    try await recorder.record(
                        PushHistoryTests.push(commit, at: Int64(index + 1), delivery: "d-\(index)"), on: known)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }

        #expect(verdicts.count == 200)
        #expect(store.objects["hello"]?.note(FareboxAnnotation.requestedCommit) == commits.last)
        #expect(store.objects["hello"]?.note(FareboxAnnotation.delivery) == "d-199")
        #expect(store.writes.count <= 200)
    }

    @Test("A write that somebody else overtook is judged again on what is there now")
    func conflict() async throws {
        let store = MemoryStore([Desk.applied()])
        let stale = try #require(store.objects["hello"])
        let recorder = PushRecorder(store: store)
        _ = try await recorder.record(
            PushHistoryTests.push(PushHistoryTests.c, at: 200, delivery: "other-replica"), on: stale)

        let verdict = try await recorder.record(
            PushHistoryTests.push(PushHistoryTests.b, at: 100, delivery: "late"), on: stale)

        #expect(verdict == .older(than: PushHistoryTests.c))
        #expect(store.objects["hello"]?.note(FareboxAnnotation.requestedCommit) == PushHistoryTests.c)
        #expect(store.objects["hello"]?.note(FareboxAnnotation.pushes)?.contains("late") == true)
    }

    @Test("A fault reaches everybody who waits, and the next push is written again")
    func fault() async throws {
        let isBroken = Mutex(true)
        let store = MemoryStore([Desk.applied()]) { verb, _ in
            verb == "change" && isBroken.withLock { $0 } ? MemoryStore.away : nil
        }
        let recorder = PushRecorder(store: store)
        let known = try #require(store.objects["hello"])
        let results = await withTaskGroup(of: Bool.self) { group in
            for index in 0..<20 {
                group.addTask {
                    let push = PushHistoryTests.push(PushHistoryTests.a, delivery: "d-\(index)")
                    return (try? await recorder.record(push, on: known)) != nil
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        isBroken.withLock { $0 = false }

        let verdict = try await recorder.record(PushHistoryTests.push(PushHistoryTests.b), on: known)

        #expect(results.count == 20 && !results.contains(true))
        #expect(verdict == .newest)
    }
}
