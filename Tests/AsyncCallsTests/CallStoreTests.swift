import Glibc
import Storage
import Synchronization
import Testing
import Timing

@testable import AsyncCalls

@Suite("A store of calls", .timeLimit(.minutes(10)))
struct CallStoreTests {
    private static let soon = Duration.milliseconds(50)

    @Test(
        "What was accepted is taken as it was, oldest first, and gone when it is finished",
        arguments: TestStore.available)
    func takesInOrder(kind: TestStore) async throws {
        let place = try TestPlace(kind)
        let store = try place.open()
        let first = AsyncCall.test("/1?a=b", body: [0, 1, 255], callbackURL: "https://example.org/x")
        let second = AsyncCall.test("/2", acceptedAt: first.acceptedAt + .milliseconds(1))

        try await store.accept(first)
        try await store.accept(second)
        let one = try #require(try await store.take())
        let two = try #require(try await store.take())
        try await store.finish(one.0, followedBy: nil)
        try await store.finish(two.0, followedBy: nil)
        let none = try await store.next(in: .hello, within: Self.soon)
        let counts = try await store.counts()

        #expect(one.1.target == "/1?a=b" && one.1.body == [0, 1, 255] && one.1.headers == first.headers)
        #expect(one.1.id == first.id && one.1.callbackURL == first.callbackURL && one.1.lane == .hello)
        #expect(one.0.attempt == 1 && two.1.target == "/2")
        #expect(none == nil && counts == CallCounts(waiting: 0, dead: 0))
        await store.close()
    }

    @Test("A call in one lane is not found in another", arguments: TestStore.available)
    func separatesLanes(kind: TestStore) async throws {
        let place = try TestPlace(kind)
        let store = try place.open()

        try await store.accept(.test("/a", lane: .other))
        let wrong = try await store.next(in: .hello, within: Self.soon)
        let callback = try await store.next(in: .helloCallback, within: Self.soon)
        let lanes = try await store.lanes()
        let right = try await store.take(.other)

        #expect(wrong == nil && callback == nil)
        #expect(lanes == [.other] && right?.1.target == "/a")
        await store.close()
    }

    @Test("Who waits for a call gets it when it comes", arguments: TestStore.available)
    func wakesWaiter(kind: TestStore) async throws {
        let place = try TestPlace(kind)
        let store = try place.open()

        async let waiting = store.take()
        async let alsoWaiting = store.take()
        try await store.accept(.test("/1"))
        try await store.accept(.test("/2"))
        let targets = Set([try await waiting?.1.target, try await alsoWaiting?.1.target])

        #expect(targets == ["/1", "/2"])
        await store.close()
    }

    @Test("A call that is put off comes back later, as the next attempt", arguments: TestStore.available)
    func postpones(kind: TestStore) async throws {
        let place = try TestPlace(kind)
        let store = try place.open()
        try await store.accept(.test("/late"))
        let first = try #require(try await store.take())

        try await store.postpone(first.0, for: .seconds(15))  // long enough for a busy machine to look before
        let early = try await store.next(in: .hello, within: .zero)
        let second = try #require(try await store.take())

        #expect(early == nil)
        #expect(second.0.attempt == 2 && second.1.target == "/late")
        await store.close()
    }

    @Test("What is kept after a call waits in its own lane", arguments: TestStore.available)
    func follows(kind: TestStore) async throws {
        let place = try TestPlace(kind)
        let store = try place.open()
        try await store.accept(.test())
        let call = try #require(try await store.take())

        try await store.finish(call.0, followedBy: .test("https://example.org/", lane: .helloCallback, body: [1]))
        let lanes = try await store.lanes()
        let next = try #require(try await store.take(.helloCallback))

        #expect(lanes == [.helloCallback] && next.1.body == [1])
        await store.close()
    }

    @Test(
        "A call that was taken and never finished waits again when the store is opened anew",
        arguments: [TestStore.sqlite])
    func survives(kind: TestStore) async throws {
        let place = try TestPlace(kind)
        let before = try place.open()
        try await before.accept(.test("/taken"))
        try await before.accept(.test("/waiting", acceptedAt: .now + .milliseconds(1)))
        _ = try #require(try await before.take())
        await before.close()

        let after = try place.open()
        let lanes = try await after.lanes()
        let first = try await after.take()
        let second = try await after.take()

        #expect(lanes == [.hello])
        #expect(first?.1.target == "/taken" && second?.1.target == "/waiting")
        await after.close()
    }

    @Test("A call of a gateway that left is taken by another", arguments: TestStore.available.filter { $0 == .nats })
    func passesOn(kind: TestStore) async throws {
        let place = try TestPlace(kind)
        let (left, right) = (try place.open(), try place.open())
        try await left.accept(.test("/shared"))
        let taken = try #require(try await left.take())

        await left.release(taken.0)
        await left.close()
        let lanes = try await right.lanes()
        let again = try await right.take()

        #expect(lanes == [.hello] && again?.1.target == "/shared")
        await right.close()
    }

    @Test("Calls that are put away are listed, shown, made after all and dropped", arguments: TestStore.available)
    func buries(kind: TestStore) async throws {
        let place = try TestPlace(kind)
        let store = try place.open()
        let calls = [AsyncCall.test("/0"), .test("/1"), .test("/2")]
        for call in calls {
            try await store.accept(call)
            let taken = try #require(try await store.take())
            try await store.bury(taken.0, taken.1, reason: "because", followedBy: nil)
        }

        let page = try await store.dead(after: nil, limit: 2)
        let rest = try await store.dead(after: page.last?.cursor, limit: 2)
        let shown = try await store.dead(id: calls[1].id)
        let replayed = try await store.replay(id: calls[1].id)
        let isDropped = try await store.drop(id: calls[0].id)
        let again = try await store.take()
        let counts = try await store.counts()

        #expect(page.map(\.call.target) == ["/0", "/1"] && rest.map(\.call.target) == ["/2"])
        #expect(shown?.reason == "because" && shown?.attempts == 1 && shown?.call.body == calls[1].body)
        #expect(replayed == .hello && isDropped)
        #expect(again?.1.target == "/1" && again?.0.attempt == 1)
        #expect(counts.dead == 1)
        let gone = try await store.replay(id: calls[0].id)
        let isDroppedTwice = try await store.drop(id: calls[0].id)
        #expect(gone == nil && !isDroppedTwice)
        await store.close()
    }

    @Test("Ids that are none are not found", arguments: TestStore.available)
    func refusesStrangeIDs(kind: TestStore) async throws {
        let place = try TestPlace(kind)
        let store = try place.open()

        for id in ["", ">", "*", "a.b", "' OR 1=1", String(repeating: "f", count: 32), "\u{0}"] {
            let dead = try await store.dead(id: id)
            let isDropped = try await store.drop(id: id)
            #expect(dead == nil && !isDropped, "\(id)")
        }
        await store.close()
    }

    @Test("Beyond its limits a store takes on nothing", arguments: TestStore.available)
    func isFull(kind: TestStore) async throws {
        let place = try TestPlace(kind)
        var limits = CallLimits()
        limits.callsMaximum = 3
        limits.callsPerFunctionMaximum = 2
        let store = try place.open(limits)
        try await store.accept(.test())
        try await store.accept(.test())

        await #expect { try await store.accept(.test()) } throws: { Self.isFull($0) }
        try await store.accept(.test(lane: .other))
        await #expect { try await store.accept(.test(lane: .other)) } throws: { Self.isFull($0) }
        let taken = try #require(try await store.take())
        try await store.finish(taken.0, followedBy: nil)
        try await store.accept(.test())

        #expect(try await store.counts().waiting == 3)
        await store.close()
    }

    private static func isFull(_ error: any Error) -> Bool {
        if case CallStoreError.full = error { true } else { false }
    }

    private final class Untaken: Sendable {
        let count = Atomic<Int>(300)
    }

    @Test("Many at once are all kept, and each is taken once", arguments: TestStore.available)
    func keepsMany(kind: TestStore) async throws {
        let place = try TestPlace(kind)
        let store = try place.open()

        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<300 { group.addTask { try await store.accept(.test("/\(number)")) } }
            try await group.waitForAll()
        }
        let untaken = Untaken()
        let targets = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var targets: [String] = []
                    while untaken.count.load(ordering: .relaxed) > 0 {
                        guard let taken = try await store.take(within: .milliseconds(500)) else { continue }
                        untaken.count.subtract(1, ordering: .relaxed)
                        targets.append(taken.1.target)
                        try await store.finish(taken.0, followedBy: nil)
                    }
                    return targets
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }

        let more = try await store.next(in: .hello, within: Self.soon)
        #expect(targets.count == 300 && Set(targets).count == 300 && more == nil)
        await store.close()
    }

    @Test("A second process is kept out of an SQLite file")
    func locks() async throws {
        let place = try TestPlace(.sqlite)
        let first = try place.open()
        try await first.accept(.test())
        let second = try place.open()

        await #expect(throws: CallStoreError.self) { try await second.accept(.test()) }
        await first.close()
        try await second.accept(.test())
        #expect(try await second.counts().waiting == 2)
        await second.close()
    }

    @Test("A store that cannot be opened says so, and works when it can be")
    func comesBack() async throws {
        let place = try TestPlace(.sqlite)
        try #require(mkdir(place.path, 0o700) == 0)
        let store = try place.open()

        await #expect(throws: CallStoreError.self) { try await store.accept(.test()) }
        try #require(rmdir(place.path) == 0)
        try await store.accept(.test("/now"))

        #expect(try await store.take()?.1.target == "/now")
        await store.close()
    }

    @Test("Whoever waits when a store is closed gets nothing", arguments: TestStore.available)
    func closes(kind: TestStore) async throws {
        let place = try TestPlace(kind)
        let store = try place.open()
        try await store.accept(.test(lane: .other))

        async let waiting = store.next(in: .hello, within: .seconds(60))
        await store.close()

        let found = try? await waiting
        #expect(found ?? nil == nil)
        await #expect(throws: CallStoreError.self) { try await store.accept(.test()) }
    }
}
