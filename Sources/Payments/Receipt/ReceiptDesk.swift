public import Timing

/// Where receipts are handed in: verified, then credited by the ledger, exactly once.
///
/// Whoever has receipts uses it: the HTTP service, and the controller of Receipt objects.
public struct ReceiptDesk: Sendable {
    private let ledger: any PaymentLedger
    private let seeds: SeedRing

    /// Opens a desk.
    public init(ledger: any PaymentLedger, seeds: SeedRing) {
        self.ledger = ledger
        self.seeds = seeds
    }

    /// Takes one receipt.
    ///
    /// - Parameters:
    ///   - text: The receipt in base64, read leniently.
    ///   - now: The time.
    public func submit(_ text: [UInt8], now: Timestamp = .now) async -> ReceiptOutcome {
        do {
            return .credited(try await ledger.credit(try await proof(text, now: now), now: now))
        } catch let error as ReceiptError {
            return .refused(error)
        } catch let error as LedgerError {
            return ReceiptOutcome(error)
        } catch {
            return .unavailable("\(error)")
        }
    }

    /// Takes many receipts, each for itself.
    ///
    /// - Parameters:
    ///   - texts: The receipts in base64; at most ``LedgerLimits/proofsMaximum``.
    ///   - now: The time.
    /// - Returns: As many outcomes, in the same order.
    public func submit(_ texts: [[UInt8]], now: Timestamp = .now) async -> [ReceiptOutcome] {
        var outcomes = [ReceiptOutcome?](repeating: nil, count: texts.count)
        var proofs: [StreamProof] = []
        var places: [Int] = []
        for (place, text) in texts.enumerated() {
            do {
                proofs.append(try await proof(text, now: now))
                places.append(place)
            } catch let error as ReceiptError {
                outcomes[place] = .refused(error)
            } catch {
                outcomes[place] = .unavailable("\(error)")
            }
        }
        if !proofs.isEmpty {
            for (place, outcome) in zip(places, await credit(proofs, now: now)) { outcomes[place] = outcome }
        }
        // The ledger promises as many results as proofs; if it broke that, nothing is known of the rest.
        return outcomes.map { $0 ?? .unavailable("the ledger gave no answer") }
    }

    /// Makes the newest receipt of a stream again, as its wallet made it.
    ///
    /// When the seed was replaced while the stream's connection was open, it may be made with the new one.
    ///
    /// - Returns: nil before any seed is known.
    public func receipt(of record: StreamRecord) -> StreamReceipt? {
        guard let keys = seeds.keys, record.nonce.count == StreamReceipt.nonceBytesCount else { return nil }
        let secret = keys.key(at: record.changedAt).secret(nonce: record.nonce)
        return StreamReceipt(nonce: record.nonce, stream: record.stream, total: record.total, secret: secret)
    }

    /// Whether a receipt was made with a secret of ours, however long ago; this credits nothing.
    public func isGenuine(_ receipt: StreamReceipt) -> Bool { seeds.keys?.made(receipt) ?? false }

    private func credit(_ proofs: [StreamProof], now: Timestamp) async -> [ReceiptOutcome] {
        do {
            return try await ledger.credit(proofs, now: now).map { result in
                switch result {
                case .success(let credit): .credited(credit)
                case .failure(let error): ReceiptOutcome(error)
                }
            }
        } catch {
            return proofs.map { _ in ReceiptOutcome(error) }
        }
    }

    /// Reads a receipt and checks who made it.
    private func proof(_ text: [UInt8], now: Timestamp) async throws -> StreamProof {
        let receipt = try StreamReceipt(LenientBase64.decode(text))
        guard let keys = seeds.keys else { throw LedgerError.unavailable("no seed is known yet") }
        do {
            return try keys.verify(receipt, now: now)
        } catch {
            guard error == .forged, await seeds.refreshAfterMiss(), let keys = seeds.keys else { throw error }
            return try keys.verify(receipt, now: now)
        }
    }
}

/// What became of a receipt.
public enum ReceiptOutcome: Hashable, Sendable {
    /// It is genuine and new; what it brought is in the ledger.
    case credited(StreamCredit)
    /// It brought nothing, and never will.
    case refused(ReceiptError)
    /// The ledger has too much to do; later it may be taken.
    case busy(retryAfter: Duration)
    /// The ledger does not work; whether the receipt was taken is not known, and handing it in again is safe.
    case unavailable(String)

    init(_ error: LedgerError) {
        switch error {
        case .unknownNonce: self = .refused(.unknownNonce)
        case .expired: self = .refused(.expired)
        case .nothingNew(let highest): self = .refused(.nothingNew(highest: highest))
        case .busy(let retryAfter): self = .busy(retryAfter: retryAfter)
        case .invalid, .exhausted, .unknownLease, .unavailable: self = .unavailable("\(error)")
        }
    }
}
