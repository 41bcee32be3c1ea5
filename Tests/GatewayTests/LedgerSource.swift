import Cryptography
import Glibc
import Payments
import Synchronization
import Timing

@testable import Gateway

/// Leases from a ledger of the test's own, without a network between; answers can be lost on the way.
final class LedgerSource: LeaseSource {
    let ledger: StoredLedger
    let account: PaymentAccount
    let terms: PriceTerms
    private let folder: String
    /// Decides about the question with this number, from 1, whether its answer is lost.
    private let isLost: @Sendable (Int) -> Bool
    private let questions = Atomic<Int>(0)

    /// Opens an empty ledger for `functions/hello`, whose calls cost 10 for 1000, a number of them nothing.
    init(bonusCalls: UInt64 = 0, isLost: @escaping @Sendable (Int) -> Bool = { _ in false }) async throws {
        // A folder that no other test has; mkdtemp puts letters of its own in the place of the X.
        var template = Array("/tmp/farebox-purse-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil, let asset = Asset(code: "USD", scale: 9),
            let account = PaymentAccount(namespace: "functions", function: "hello"),
            let terms = PriceTerms(asset: asset, amount: 10, calls: 1000, bonusCalls: bonusCalls)
        else { throw LedgerError.unavailable("no folder") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        ledger = try await StoredLedger.open(LedgerConfiguration(sqlite: folder + "/ledger.db"))
        self.account = account
        self.terms = terms
        self.isLost = isLost
    }

    deinit {
        ledger.close()
        for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db.lock"] { unlink(folder + "/" + name) }
        rmdir(folder)
    }

    /// How often somebody asked for a lease.
    var asked: Int { questions.load(ordering: .relaxed) }

    /// Pays for calls, by the thousand.
    func pay(thousands: UInt64) async throws {
        guard let rail = PaymentRail("test") else { return }
        let claim = PaymentClaim(
            rail: rail, key: randomBytes(16), total: thousands * 10, account: account, asset: terms.asset)
        _ = try await ledger.claim(claim, now: .now)
    }

    func balance() async throws -> AccountBalance {
        try await ledger.balance(of: account, terms: terms)
    }

    func exchange(_ exchange: LeaseExchange) async -> LeaseAnswer {
        let number = questions.add(1, ordering: .relaxed).newValue
        let answer = await answer(exchange)
        return isLost(number) ? .unavailable("lost on the way") : answer
    }

    private func answer(_ exchange: LeaseExchange) async -> LeaseAnswer {
        do throws(LedgerError) {
            return .granted(
                try await ledger.exchange(
                    exchange.lease, spent: exchange.spent ?? 0, account: exchange.account, terms: terms,
                    calls: exchange.calls, holder: exchange.holder, for: .seconds(exchange.seconds), now: .now))
        } catch {
            switch error {
            case .exhausted: return .exhausted(await balance(of: account))
            case .unknownLease, .invalid: return .unknownLease
            default: return .unavailable("\(error)")
            }
        }
    }

    func settle(_ settlement: LeaseSettlement) async -> Bool {
        (try? await ledger.settle(settlement.lease, spent: settlement.spent, now: .now)) != nil
    }

    func balance(of account: PaymentAccount) async -> AccountBalance? {
        try? await balance()
    }

    /// A purse of a gateway with this name.
    func purse(_ holder: String = "one") -> CallPurse {
        CallPurse(of: account, source: self, holder: holder)
    }
}

extension CallPurse {
    /// Waits for a call as the gateway's router does: nil when one was taken out, else why not.
    func admit() async -> LeaseCheck.Outcome? {
        while !take() {
            let check = check()
            await withCheckedContinuation { continuation in check.whenOpen { continuation.resume() } }
            if let outcome = check.outcome, outcome != .granted { return outcome }
        }
        return nil
    }
}
