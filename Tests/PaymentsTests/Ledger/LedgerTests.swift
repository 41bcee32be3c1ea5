import Cryptography
import Testing
import Timing

@testable import Payments

@Suite("The ledger, on every store")
struct LedgerTests {
    @Test("A stream's total is credited as it grows, and only what is new", arguments: TestStore.available)
    func creditsGrowth(store: TestStore) async throws {
        let place = try TestLedger(store)
        let ledger = try await place.open()
        let connection = try Sample.connection()
        try await ledger.open(connection)

        let first = try await ledger.credit(Sample.proof(10), now: Sample.now)
        let second = try await ledger.credit(Sample.proof(25), now: Sample.now)

        #expect(first == StreamCredit(amount: 10, connection: connection, isCredited: true))
        #expect(second.amount == 15)
        let balance = try await ledger.balance(of: Sample.account(), terms: Sample.terms())
        #expect(balance.balance == 25)
        #expect(balance.remainingCalls == 2550)
    }

    @Test(
        "A total that was seen, a smaller one and zero bring nothing", arguments: TestStore.available,
        [10, 9, 0] as [UInt64])
    func refusesOldTotals(store: TestStore, total: UInt64) async throws {
        let place = try TestLedger(store)
        let ledger = try await place.open()
        try await ledger.open(Sample.connection())
        _ = try await ledger.credit(Sample.proof(10), now: Sample.now)

        await #expect(throws: LedgerError.nothingNew(highest: 10)) {
            _ = try await ledger.credit(Sample.proof(total), now: Sample.now)
        }
    }

    @Test("Streams of one connection are counted apart, by all 64 bits", arguments: TestStore.available)
    func countsStreamsApart(store: TestStore) async throws {
        let place = try TestLedger(store)
        let ledger = try await place.open()
        try await ledger.open(Sample.connection())

        let results = try await ledger.credit(
            [
                Sample.proof(1 << 63, stream: 0), Sample.proof(7, stream: 255), Sample.proof((1 << 63) - 1, stream: 0),
                Sample.proof((1 << 63) + 1, stream: 0), Sample.proof(.max, stream: 9), Sample.proof(8, stream: 255),
            ], now: Sample.now)

        #expect(try results[0].get().amount == 1 << 63)
        #expect(try results[1].get().amount == 7)
        #expect(results[2] == .failure(.nothingNew(highest: 1 << 63)))
        #expect(try results[3].get().amount == 1)
        #expect(results[4] == .failure(.invalid("the balance would be more than 64 bits can hold")))
        #expect(try results[5].get().amount == 1)
        let balance = try await ledger.balance(of: Sample.account(), terms: Sample.terms())
        #expect(balance.balance == (UInt64(1) << 63) + 9)
    }

    @Test(
        "Changes name the accounts that entries were written for, and end where the ledger stands",
        arguments: TestStore.available)
    func tellsChanges(store: TestStore) async throws {
        let place = try TestLedger(store)
        let ledger = try await place.open()
        let start = try await ledger.changes(after: nil)
        try await ledger.open(Sample.connection())
        try await ledger.open(Sample.connection(nonce: 2, account: "other/bob"))
        try await ledger.open(Sample.connection(nonce: 3, creditsHost: false))

        let silent = try await ledger.changes(after: start.cursor)
        _ = try await ledger.credit(Sample.proof(10), now: Sample.now)
        _ = try await ledger.credit(Sample.proof(5, nonce: 3), now: Sample.now)
        let first = try await ledger.changes(after: start.cursor)
        _ = try await ledger.credit(Sample.proof(10, nonce: 2), now: Sample.now)
        let lease = try await ledger.lease(
            Sample.account(), terms: Sample.terms(), calls: 10, holder: "g", for: .seconds(60), now: Sample.now)
        let second = try await ledger.changes(after: first.cursor)
        try await ledger.settle(lease.id, spent: 3, now: Sample.now)
        let third = try await ledger.changes(after: second.cursor)

        #expect(start.accounts.isEmpty)
        #expect(silent == start)
        #expect(first.accounts == [try Sample.account()])
        #expect(second.accounts == [try Sample.account("other/bob")])
        #expect(third.accounts == [try Sample.account()])
        #expect(third.isComplete)
        let newest = try await ledger.streams(changedAfter: 0, limit: 10).last
        #expect(third.streamCursor == newest?.cursor)
    }

    @Test("An unknown nonce and an expired connection are refused with their reason", arguments: TestStore.available)
    func refusesStrangers(store: TestStore) async throws {
        let place = try TestLedger(store)
        let ledger = try await place.open()
        try await ledger.open(Sample.connection(expiresAt: Sample.now + .seconds(1)))

        await #expect(throws: LedgerError.unknownNonce) {
            _ = try await ledger.credit(Sample.proof(1, nonce: 2), now: Sample.now)
        }
        await #expect(throws: LedgerError.expired) {
            _ = try await ledger.credit(Sample.proof(1), now: Sample.now + .seconds(1))
        }
    }

    @Test("Money that does not go to the host is counted but not credited", arguments: TestStore.available)
    func creditsOnlyTheHost(store: TestStore) async throws {
        let place = try TestLedger(store)
        let ledger = try await place.open()
        try await ledger.open(Sample.connection(nonce: 1, creditsHost: false))
        try await ledger.open(Sample.connection(nonce: 2, account: nil))

        let foreign = try await ledger.credit(Sample.proof(10, nonce: 1), now: Sample.now)
        let nobody = try await ledger.credit(Sample.proof(10, nonce: 2), now: Sample.now)

        #expect(foreign.amount == 10 && !foreign.isCredited)
        #expect(nobody.amount == 10 && !nobody.isCredited)
        #expect(try await ledger.balance(of: Sample.account(), terms: Sample.terms()).balance == 0)
    }

    @Test(
        "A connection is opened once; the same again is the same, another under its nonce is refused",
        arguments: TestStore.available)
    func opensOnce(store: TestStore) async throws {
        let place = try TestLedger(store)
        let ledger = try await place.open()
        try await ledger.open(Sample.connection())

        try await ledger.open(Sample.connection())

        await #expect(throws: LedgerError.invalid("the nonce is in use")) {
            try await ledger.open(Sample.connection(creditsHost: false))
        }
        await #expect(throws: LedgerError.self) {
            let good = try Sample.connection()
            try await ledger.open(
                StreamConnection(
                    nonce: [1, 2], account: nil, identifier: nil, endpoint: "", creditsHost: false, asset: good.asset,
                    expiresAt: good.expiresAt, seed: good.seed))
        }
    }

    @Test("Other rails claim under a key of their own, for one account and asset", arguments: TestStore.available)
    func claimsOnOtherRails(store: TestStore) async throws {
        let place = try TestLedger(store)
        let ledger = try await place.open()
        let (account, asset) = (try Sample.account(), try Sample.asset())
        let rail = try #require(PaymentRail("x402"))
        let claim = PaymentClaim(rail: rail, key: [1], total: 5, account: account, asset: asset)

        let first = try await ledger.claim(claim, now: Sample.now)

        #expect(first == 5)
        await #expect(throws: LedgerError.nothingNew(highest: 5)) {
            _ = try await ledger.claim(claim, now: Sample.now)
        }
        let other = PaymentClaim(
            rail: rail, key: [1], total: 6, account: try Sample.account("a/b"), asset: asset)
        await #expect(throws: LedgerError.self) { _ = try await ledger.claim(other, now: Sample.now) }
        let forged = PaymentClaim(rail: .stream, key: [1], total: 6, account: account, asset: asset)
        await #expect(throws: LedgerError.self) { _ = try await ledger.claim(forged, now: Sample.now) }
    }

    @Test("What changed is read in the order it changed, each stream once", arguments: TestStore.available)
    func readsStreams(store: TestStore) async throws {
        let place = try TestLedger(store)
        let ledger = try await place.open()
        try await ledger.open(Sample.connection())
        for (stream, total) in [(1, 5), (2, 6), (1, 9), (3, 1)] as [(UInt8, UInt64)] {
            _ = try await ledger.credit(Sample.proof(total, stream: stream), now: Sample.now)
        }

        let first = try await ledger.streams(changedAfter: 0, limit: 2)
        let rest = try await ledger.streams(changedAfter: try #require(first.last).cursor, limit: 10)

        #expect(first.map(\.stream) == [2, 1])
        #expect(first.map(\.total) == [6, 9])
        #expect(first.map(\.credited) == [6, 9])
        #expect(rest.map(\.stream) == [3])
        #expect(first.first?.endpoint == "$wallet.example/alice")
        #expect(first.first?.changedAt == Sample.now)
        #expect(try await ledger.stream(nonce: Sample.proof(0).nonce, stream: 1) == first.last)
        #expect(try await ledger.stream(nonce: Sample.proof(0).nonce, stream: 77) == nil)
    }

    @Test("Seeds come newest first, once each, and the oldest go", arguments: TestStore.available)
    func rotatesSeeds(store: TestStore) async throws {
        let place = try TestLedger(store)
        let ledger = try await place.open()
        let seed = { (number: UInt8) in [UInt8](repeating: number, count: 32) }

        _ = try await ledger.addSeed(seed(1), onlyIfNone: true, now: Sample.now)
        let refused = try await ledger.addSeed(seed(2), onlyIfNone: true, now: Sample.now)
        _ = try await ledger.addSeed(seed(1), onlyIfNone: false, now: Sample.now)
        for number in 2...10 { _ = try await ledger.addSeed(seed(UInt8(number)), onlyIfNone: false, now: Sample.now) }

        #expect(refused.map(\.bytes) == [seed(1)])
        #expect(try await ledger.seeds().map(\.bytes.first) == [10, 9, 8, 7, 6, 5, 4, 3])
        await #expect(throws: LedgerError.self) {
            _ = try await ledger.addSeed([1], onlyIfNone: false, now: Sample.now)
        }
    }

    @Test("What was answered is there after the ledger was opened anew", arguments: TestStore.available)
    func survivesClosing(store: TestStore) async throws {
        let place = try TestLedger(store)
        do {
            let ledger = try await place.open()
            try await ledger.open(Sample.connection())
            _ = try await ledger.credit(Sample.proof(10), now: Sample.now)
            ledger.close()
        }

        let ledger = try await place.reopen()

        #expect(try await ledger.balance(of: Sample.account(), terms: Sample.terms()).balance == 10)
        await #expect(throws: LedgerError.nothingNew(highest: 10)) {
            _ = try await ledger.credit(Sample.proof(10), now: Sample.now)
        }
    }

    @Test("When too much waits, callers are told when to come back", arguments: TestStore.available)
    func pushesBack(store: TestStore) async throws {
        let place = try TestLedger(store)
        let ledger = try await place.open(waitingMaximum: 8)
        try await ledger.open(Sample.connection())
        let proofs = (1...9).map { Sample.proof($0) }

        await #expect(throws: LedgerError.busy(retryAfter: .seconds(1))) {
            _ = try await ledger.credit(proofs, now: Sample.now)
        }

        #expect(try await ledger.credit(Array(proofs.prefix(8)), now: Sample.now).count == 8)
        #expect(await ledger.isWorking())
    }

    @Test("A ledger that is closed says so", arguments: TestStore.available)
    func saysThatItIsClosed(store: TestStore) async throws {
        let place = try TestLedger(store)
        let ledger = try await place.open()

        ledger.close()

        await #expect(throws: LedgerError.unavailable("it was closed")) {
            _ = try await ledger.credit(Sample.proof(1), now: Sample.now)
        }
        #expect(await !ledger.isWorking())
    }
}
