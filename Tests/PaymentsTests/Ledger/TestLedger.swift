import Cryptography
import Glibc
import Testing
import Timing

@testable import Payments

/// A kind of store that the ledger's tests run on.
enum TestStore: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case sqlite
    case postgres

    var testDescription: String { rawValue }

    /// Those that this machine has; says which one is missing.
    static let available: [TestStore] = {
        guard PostgresServer.isInstalled else {
            print("PostgreSQL is not installed (apt-get install postgresql): its ledger is not tested")
            return [.sqlite]
        }
        return [.sqlite, .postgres]
    }()
}

/// A fresh ledger's place; it goes when the test is over.
final class TestLedger: Sendable {
    let configuration: LedgerConfiguration
    let folder: String

    init(_ store: TestStore) throws {
        // A folder that no other test has; mkdtemp puts letters of its own in the place of the X.
        var template = Array("/tmp/farebox-ledger-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw LedgerError.unavailable("mkdtemp: \(errno)") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        switch store {
        case .sqlite: configuration = LedgerConfiguration(sqlite: folder + "/ledger.db")
        case .postgres:
            configuration = LedgerConfiguration(
                postgres: .init(
                    connection: try PostgresServer.shared.get().connection, schema: "t" + Hex.encode(randomBytes(8))))
        }
    }

    deinit {
        for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db.lock"] { unlink(folder + "/" + name) }
        rmdir(folder)
    }

    /// Opens the ledger as soon as whoever had it has let go.
    func reopen() async throws -> StoredLedger {
        let deadline = ContinuousClock.now + .seconds(120)
        while true {
            do throws(LedgerError) {
                return try await StoredLedger.open(configuration)
            } catch {
                guard ContinuousClock.now < deadline else { throw error }
                // Tried now and then: nothing tells when the kernel has taken the lock from a process that was killed.
                try? await Task.sleep(for: .milliseconds(2))
            }
        }
    }

    /// Opens the ledger.
    func open(waitingMaximum: Int = StoredLedger.waitingMaximum) async throws -> StoredLedger {
        try await StoredLedger.open(configuration, waitingMaximum: waitingMaximum)
    }
}

/// The things that tests of the ledger pay with and for.
enum Sample {
    static let now = Timestamp(secondsSinceEpoch: 1_800_000_000)

    static func asset() throws -> Asset { try #require(Asset(code: "USD", scale: 9)) }

    static func account(_ name: String = "farebox-functions/alice-hello") throws -> PaymentAccount {
        try #require(PaymentAccount(name: name))
    }

    static func terms(_ amount: UInt64 = 10, per calls: UInt64 = 1000, bonus: UInt64 = 50) throws -> PriceTerms {
        try #require(PriceTerms(asset: try asset(), amount: amount, calls: calls, bonusCalls: bonus))
    }

    static func connection(
        nonce: UInt8 = 1, account: String? = "farebox-functions/alice-hello", creditsHost: Bool = true,
        expiresAt: Timestamp = now + .seconds(300)
    ) throws -> StreamConnection {
        StreamConnection(
            nonce: [UInt8](repeating: nonce, count: 16), account: try account.map { try self.account($0) },
            identifier: "alice/hello", endpoint: "$wallet.example/alice", creditsHost: creditsHost,
            asset: try asset(), expiresAt: expiresAt, seed: SeedID(of: [1]))
    }

    static func proof(_ total: UInt64, nonce: UInt8 = 1, stream: UInt8 = 1) -> StreamProof {
        StreamProof(nonce: [UInt8](repeating: nonce, count: 16), stream: stream, total: total)
    }
}
