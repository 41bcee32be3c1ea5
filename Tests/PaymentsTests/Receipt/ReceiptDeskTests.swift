import Cryptography
import Testing
import Timing

@testable import Payments

@Suite("Handing receipts in")
struct ReceiptDeskTests {
    private let ledger = MemoryLedger()
    private let clock = TestClock()
    private let nonce = randomBytes(16)

    private func text(_ seed: [UInt8], total: UInt64, nonce: [UInt8]? = nil) -> [UInt8] {
        let nonce = nonce ?? self.nonce
        let secret = ReceiptKey(seed: seed).secret(nonce: nonce)
        let receipt = StreamReceipt(nonce: nonce, stream: 1, total: total, secret: secret)
        return Array(Base64.encode(receipt.bytes).utf8)
    }

    private func desk(_ seeds: [[UInt8]]) async throws -> ReceiptDesk {
        let ring = SeedRing(ledger: ledger, lifetime: .seconds(300))
        try await ring.adopt(seeds, now: clock.now)
        try await ledger.open(
            StreamConnection(
                nonce: nonce, account: PaymentAccount(namespace: "n", function: "f"), identifier: "f",
                endpoint: "$host.example", creditsHost: true, asset: try TestService.asset(),
                expiresAt: clock.now + .seconds(300), seed: SeedID(of: seeds.first ?? [])))
        return ReceiptDesk(ledger: ledger, seeds: ring)
    }

    @Test("A receipt of an older seed is still taken, one of a stranger's never")
    func rotates() async throws {
        let old = randomBytes(32)
        let new = randomBytes(16)
        let desk = try await desk([new, old])

        let outcomes = await desk.submit(
            [text(old, total: 5), text(new, total: 7), text(randomBytes(32), total: 9)], now: clock.now)

        guard case .credited(let first) = outcomes[0], case .credited(let second) = outcomes[1] else {
            Issue.record("\(outcomes)")
            return
        }
        #expect(first.amount == 5)
        #expect(second.amount == 2)
        #expect(outcomes[2] == .refused(.forged))
    }

    @Test("The receipt of a stream is made again as its wallet made it, also with an older seed")
    func makesAgain() async throws {
        let (old, new) = (randomBytes(32), randomBytes(32))
        let ring = SeedRing(ledger: ledger, lifetime: .seconds(300))
        try await ring.adopt([old], now: clock.now)
        try await ring.adopt([new, old], now: clock.now + .seconds(100))
        let desk = ReceiptDesk(ledger: ledger, seeds: ring)
        func record(_ seconds: Int64) throws -> StreamRecord {
            StreamRecord(
                nonce: nonce, stream: 1, total: 5, credited: 5, account: nil, asset: try TestService.asset(),
                endpoint: "$host.example", changedAt: clock.now + .seconds(seconds), cursor: 1)
        }

        let before = try #require(desk.receipt(of: try record(50)))
        let after = try #require(desk.receipt(of: try record(150)))

        #expect(Base64.encode(before.bytes) == String(decoding: text(old, total: 5), as: UTF8.self))
        #expect(Base64.encode(after.bytes) == String(decoding: text(new, total: 5), as: UTF8.self))
        #expect(desk.isGenuine(before))
        let forged = StreamReceipt(nonce: nonce, stream: 1, total: 5, secret: [1])
        #expect(!desk.isGenuine(forged))
    }

    @Test("The newest seed makes the secrets of new connections")
    func newestSeedMakesSecrets() async throws {
        let old = randomBytes(32)
        let new = randomBytes(32)
        let ring = SeedRing(ledger: ledger, lifetime: .seconds(300))

        try await ring.adopt([old], now: clock.now)
        try await ring.adopt([new, old], now: clock.now)

        #expect(ring.keys?.current.seed == SeedID(of: new))
    }

    @Test("A seed that was replaced counts until its last connection is over, and never after")
    func endsReplacedSeeds() async throws {
        let old = randomBytes(32)
        let ring = SeedRing(ledger: ledger, lifetime: .seconds(300))
        try await ring.adopt([old], now: clock.now)
        clock.advance(by: .seconds(86_400))
        try await ring.adopt([randomBytes(32), old], now: clock.now)
        let receipt = try StreamReceipt(LenientBase64.decode(text(old, total: 1)))
        let keys = try #require(ring.keys)

        #expect(throws: Never.self) { try keys.verify(receipt, now: clock.now + .seconds(359)) }
        #expect(throws: ReceiptError.expired) { try keys.verify(receipt, now: clock.now + .seconds(360)) }
    }

    @Test("A seed is made where there is none, and every replica has the same")
    func makesOneSeed() async throws {
        let first = SeedRing(ledger: ledger, lifetime: .seconds(300))
        let second = SeedRing(ledger: ledger, lifetime: .seconds(300))

        try await first.adopt([], now: clock.now)
        try await second.adopt([], now: clock.now)

        #expect(first.keys != nil)
        #expect(first.keys?.current.seed == second.keys?.current.seed)
    }

    @Test("A seed that another replica added is found when its first receipt comes")
    func findsSeedOfOthers() async throws {
        let desk = try await desk([randomBytes(32)])
        let added = randomBytes(32)
        _ = try await ledger.addSeed(added, onlyIfNone: false, now: clock.now)

        let outcome = await desk.submit(text(added, total: 5), now: clock.now)

        guard case .credited = outcome else {
            Issue.record("\(outcome)")
            return
        }
    }

    @Test("What the ledger cannot do is told apart from what is wrong with the receipt")
    func tellsLedgerFailures() async throws {
        let seed = randomBytes(32)
        let desk = try await desk([seed])

        await ledger.fail(.unavailable("disk"))
        guard case .unavailable = await desk.submit(text(seed, total: 1), now: clock.now) else {
            Issue.record("not unavailable")
            return
        }
        await ledger.fail(.busy(retryAfter: .seconds(3)))
        #expect(await desk.submit(text(seed, total: 1), now: clock.now) == .busy(retryAfter: .seconds(3)))
        await ledger.fail(nil)
        guard case .credited = await desk.submit(text(seed, total: 1), now: clock.now) else {
            Issue.record("not credited")
            return
        }
        #expect(await desk.submit(text(seed, total: 1), now: clock.now) == .refused(.nothingNew(highest: 1)))
    }

    @Test("A batch answers each in its place, also when the ledger fails for all")
    func batches() async throws {
        let seed = randomBytes(32)
        let desk = try await desk([seed])
        let unknown = text(seed, total: 1, nonce: randomBytes(16))

        let outcomes = await desk.submit(
            [[], text(seed, total: 4), unknown, text(seed, total: 4), text(seed, total: 6)], now: clock.now)

        #expect(outcomes[0] == .refused(.malformed))
        #expect(outcomes[2] == .refused(.unknownNonce))
        #expect(outcomes[3] == .refused(.nothingNew(highest: 4)))
        guard case .credited(let credit) = outcomes[4] else {
            Issue.record("\(outcomes[4])")
            return
        }
        #expect(credit.amount == 2)
        await ledger.fail(.busy(retryAfter: .seconds(1)))
        #expect(
            await desk.submit([[], text(seed, total: 9)], now: clock.now) == [
                .refused(.malformed), .busy(retryAfter: .seconds(1)),
            ])
    }
}
