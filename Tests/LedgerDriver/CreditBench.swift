import Cryptography
import Glibc
import Payments
import Timing

/// Verifies receipts and credits them durably, as fast as it goes, and prints how long it took.
struct CreditBench {
    private let configuration: LedgerConfiguration
    private let receipts: Int
    private let submitters: Int
    private let batch: Int
    private let streams: Int

    init(_ options: inout DriverOptions) throws {
        configuration = options.ledger
        receipts = try options.number("receipts", default: 100_000)
        submitters = try options.number("submitters", default: 64)
        batch = max(1, try options.number("batch", default: 1))
        streams = try options.number("streams", default: 1024)
    }

    func run() async throws {
        let ledger = try await StoredLedger.open(configuration)
        let issuer = ReceiptIssuer()
        for number in 0..<streams { try await ledger.open(issuer.connection(number)) }
        let work = issuer.receipts(receipts, streams: streams, submitters: submitters)
        let (batch, now) = (batch, Timestamp.now)
        let begun = Stopwatch()
        let credited = try await withThrowingTaskGroup(of: UInt64.self) { group in
            for mine in work {
                group.addTask {
                    var sum: UInt64 = 0
                    var position = 0
                    while position < mine.count {
                        let end = min(position + batch, mine.count)
                        let proofs = try mine[position..<end].map { try issuer.verify($0) }
                        position = end
                        for result in try await ledger.credit(proofs, now: now) { sum += try result.get().amount }
                    }
                    return sum
                }
            }
            return try await group.reduce(0, +)
        }
        begun.report(receipts)
        // Each receipt raised its stream by one.
        guard credited == UInt64(receipts) else { throw DriverError("\(credited) credited of \(receipts)") }
    }
}

/// Time on the clock and on the processor since the beginning.
struct Stopwatch {
    private let clock = ContinuousClock.now
    private let processor = Self.processorSeconds

    /// Prints `{"count":…,"seconds":…,"cpuSeconds":…}`.
    func report(_ count: Int) {
        let (seconds, attoseconds) = (ContinuousClock.now - clock).components
        let elapsed = Double(seconds) + Double(attoseconds) / 1e18
        Line.print(
            "{\"count\":\(count),\"seconds\":\(elapsed),\"cpuSeconds\":\(Self.processorSeconds - processor)}")
    }

    private static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// Makes receipts as a wallet does and checks them as we do: 58 bytes with an HMAC (Interledger RFC 0039).
struct ReceiptIssuer: Sendable {
    private let key = HMAC.sha256(key: [UInt8](repeating: 7, count: 32), message: Array("receipt_secret".utf8))

    func nonce(_ number: Int) -> [UInt8] {
        (0..<16).map { UInt8(truncatingIfNeeded: $0 < 8 ? number >> (8 * $0) : 9) }
    }

    func connection(_ number: Int) throws -> StreamConnection {
        guard let account = PaymentAccount(name: "farebox-functions/function-\(number % 100)"),
            let asset = Asset(code: "USD", scale: 9)
        else { throw DriverError("the samples are wrong") }
        return StreamConnection(
            nonce: nonce(number), account: account, identifier: nil, endpoint: "$wallet.example", creditsHost: true,
            asset: asset, expiresAt: .latest, seed: SeedID(of: [7]))
    }

    /// Receipts whose totals grow by one on each stream; a stream is one submitter's.
    func receipts(_ count: Int, streams: Int, submitters: Int) -> [[[UInt8]]] {
        var work = [[[UInt8]]](repeating: [], count: submitters)
        var totals = [UInt64](repeating: 0, count: streams)
        let secrets = (0..<streams).map { HMAC.sha256(key: key, message: nonce($0)) }
        for number in 0..<count {
            let stream = number % streams
            totals[stream] += 1
            var receipt: [UInt8] = [1] + nonce(stream) + [1]
            withUnsafeBytes(of: totals[stream].bigEndian) { receipt.append(contentsOf: $0) }
            receipt += HMAC.sha256(key: secrets[stream], message: receipt)
            work[stream % submitters].append(receipt)
        }
        return work
    }

    /// The proof in a receipt.
    ///
    /// - Throws: When it is forged.
    func verify(_ receipt: [UInt8]) throws -> StreamProof {
        guard receipt.count == 58 else { throw DriverError("a receipt has 58 bytes") }
        let nonce = Array(receipt[1..<17])
        let secret = HMAC.sha256(key: key, message: nonce)
        let code = HMAC.sha256(key: secret, message: Array(receipt[..<26]))
        guard constantTimeEquals(code, Array(receipt[26...])) else { throw DriverError("a receipt is forged") }
        let total = receipt[18..<26].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return StreamProof(nonce: nonce, stream: receipt[17], total: total)
    }
}
