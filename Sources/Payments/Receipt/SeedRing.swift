import Cryptography
import Synchronization
public import Timing

/// The seeds of the ledger, at hand.
///
/// They live in the ledger, so that they survive restarts and all replicas share them. An administrator may bring their own.
public final class SeedRing: Sendable {
    private let ledger: any PaymentLedger
    private let lifetime: Duration
    private let state = Mutex(State())
    /// A receipt that no key of ours made may be of a seed that another replica added: then, but not more often than this,
    /// the ledger is asked again.
    private static let missInterval = Duration.seconds(1)
    private static let seedBytesCount = 32

    private struct State {
        var keys: ReceiptKeys?
        var lastMiss: ContinuousClock.Instant?
    }

    /// Makes an empty ring; ``adopt(_:now:)`` or ``refresh()`` fills it.
    ///
    /// - Parameters:
    ///   - ledger: Where the seeds are kept.
    ///   - lifetime: How long receipts of a connection are taken.
    public init(ledger: any PaymentLedger, lifetime: Duration) {
        self.ledger = ledger
        self.lifetime = lifetime
    }

    /// Whether there is a seed.
    var isFilled: Bool { keys != nil }

    /// The keys that count now; nil before any seed is known.
    var keys: ReceiptKeys? { state.withLock { $0.keys } }

    /// Hands seeds of an administrator to the ledger; where there are none and the ledger has none, makes one.
    ///
    /// - Parameter seeds: Newest first; each 16 bytes or more.
    public func adopt(_ seeds: [[UInt8]], now: Timestamp = .now) async throws(LedgerError) {
        var known: [ReceiptSeed] = []
        for seed in seeds.reversed() {
            known = try await ledger.addSeed(seed, onlyIfNone: false, now: now)
        }
        if seeds.isEmpty {
            known = try await ledger.addSeed(randomBytes(Self.seedBytesCount), onlyIfNone: true, now: now)
        }
        take(known)
    }

    /// Reads the seeds of the ledger anew.
    public func refresh() async throws(LedgerError) {
        take(try await ledger.seeds())
    }

    /// Reads the seeds anew because no key made a receipt, unless that was done a moment ago.
    ///
    /// - Returns: Whether they were read.
    func refreshAfterMiss(at now: ContinuousClock.Instant = .now) async -> Bool {
        let isDue = state.withLock { state in
            if let last = state.lastMiss, now - last < Self.missInterval { return false }
            state.lastMiss = now
            return true
        }
        guard isDue else { return false }
        return (try? await refresh()) != nil
    }

    /// Seeds that are there stay when the ledger tells none: it does not forget its newest.
    private func take(_ seeds: [ReceiptSeed]) {
        guard let keys = ReceiptKeys(seeds, lifetime: lifetime) else { return }
        state.withLock { $0.keys = keys }
    }
}
