import Glibc
import Payments
import Synchronization
import Timing

/// Credits rising totals on many streams and leases calls, and says so after each answer, until somebody kills it.
///
/// `A <stream> <total> <amount>` follows a credit, `S <calls>` a sale of leased calls.
struct Hammer {
    private let configuration: LedgerConfiguration
    private let round: Int
    private let streams: Int
    private let fault: (point: LedgerFaultPoint, commit: Int)?

    init(_ options: inout DriverOptions) throws {
        configuration = options.ledger
        round = try options.number("round", default: 0)
        streams = try options.number("streams", default: 16)
        fault = try options.text("fault").map { text in
            let parts = text.split(separator: ":").map(String.init)
            guard parts.count == 2, let point = LedgerFaultPoint(rawValue: parts[0]), let commit = Int(parts[1]) else {
                throw DriverError("fault is before-commit:N or after-commit:N")
            }
            return (point, commit)
        }
    }

    func run() async throws {
        let commits = Atomic(0)
        let fault = fault
        let ledger = try await StoredLedger.open(configuration) { point in
            guard let fault, point == fault.point else { return }
            if commits.add(1, ordering: .relaxed).newValue == fault.commit { kill(getpid(), SIGKILL) }
        }
        guard let account = PaymentAccount(name: "farebox-functions/alice-hello"),
            let asset = Asset(code: "USD", scale: 9),
            let terms = PriceTerms(asset: asset, amount: 10, calls: 1000, bonusCalls: 50)
        else { throw DriverError("the samples are wrong") }
        let nonce = (0..<16).map { UInt8(truncatingIfNeeded: $0 < 8 ? round >> (8 * $0) : $0) }
        try await ledger.open(
            StreamConnection(
                nonce: nonce, account: account, identifier: nil, endpoint: "$wallet.example", creditsHost: true,
                asset: asset, expiresAt: .latest, seed: SeedID(of: [1])))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for stream in 0..<streams {
                group.addTask { try await Self.credit(ledger, nonce, UInt8(truncatingIfNeeded: stream)) }
            }
            group.addTask { try await lease(ledger, account, terms) }
            try await group.waitForAll()
        }
    }

    private static func credit(_ ledger: StoredLedger, _ nonce: [UInt8], _ stream: UInt8) async throws {
        var total: UInt64 = 0
        while true {
            total += UInt64.random(in: 1...9)
            let credit = try await ledger.credit(StreamProof(nonce: nonce, stream: stream, total: total), now: .now)
            Line.print("A \(stream) \(total) \(credit.amount)")
        }
    }

    private func lease(_ ledger: StoredLedger, _ account: PaymentAccount, _ terms: PriceTerms) async throws {
        var held: CallLease?
        while true {
            do throws(LedgerError) {
                let spent = held.map { UInt64.random(in: 0...$0.calls) } ?? 0
                let next = try await ledger.exchange(
                    held?.id, spent: spent, account: account, terms: terms, calls: .random(in: 1...500),
                    holder: "driver-\(round)", for: .seconds(60), now: .now)
                if spent > 0 { Line.print("S \(spent)") }
                held = next
            } catch {
                guard error == .exhausted else { throw error }
                held = nil
                await Task.yield()
            }
        }
    }
}
