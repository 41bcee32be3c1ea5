import Cryptography
import Glibc
import HTTP
import JSON
import Telemetry
import Timing

@testable import Payments

/// Payments that run on loopback, with a wallet of the host, a clock and a ledger of the test's.
struct TestService: Sendable {
    let base: String
    let internalBase: String
    /// The ledger that forgets; not used when the test asked for a real one.
    let ledger: MemoryLedger
    /// The ledger that is used.
    let store: any PaymentLedger
    let clock: TestClock
    let hostWallet: TestWallet
    let seed: [UInt8]
    let service: PaymentsService
    /// Where the files are: `token`, `seeds`.
    let folder: String

    static let token = "a token of the gateway"
    static let pairToken = "another token for a change"

    /// What a test may set.
    struct Setting: Sendable {
        var configuration = PaymentsConfiguration()
        var functions: [(owner: String?, name: String, function: PayableFunction)] = []
        var seeds: [[UInt8]] = [randomBytes(32)]
        /// The host's pointer, where the host is not paid at the wallet on loopback.
        var hostPointer: String?
        /// Whether money is counted in an SQLite file.
        var usesSQLite = false
        var hostWallet: TestWallet.Script = { _ in TestWallet.goodAnswer() }

        /// Adds `alice`'s function `fn`, whose account is `functions/alice-fn`.
        mutating func addFunction(_ owner: String = "alice", _ name: String = "fn", pointer: String? = nil) throws {
            functions.append((owner, name, try TestService.function("\(owner)-\(name)", pointer: pointer)))
        }
    }

    struct Unusable: Error {}

    static func asset() throws -> Asset {
        guard let asset = Asset(code: "XRP", scale: 9) else { throw Unusable() }
        return asset
    }

    /// A function whose calls cost 10 for 1000, with 50 as a bonus.
    static func function(_ name: String, pointer: String? = nil, asset: Asset? = nil) throws -> PayableFunction {
        guard let account = PaymentAccount(namespace: "functions", function: name),
            let terms = PriceTerms(asset: try asset ?? Self.asset(), amount: 10, calls: 1000, bonusCalls: 50)
        else { throw Unusable() }
        return PayableFunction(account: account, terms: terms, authorPointer: pointer)
    }

    /// Runs payments for as long as `body` takes.
    static func with(
        _ change: (inout Setting) throws -> Void = { _ in }, _ body: (TestService) async throws -> Void
    ) async throws {
        var setting = Setting()
        try change(&setting)
        // A folder that no other test has; mkdtemp puts letters of its own in the place of the X.
        var template = Array("/tmp/farebox-payments-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Unusable() }
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        try write("\(token)\n# the next one\n\(pairToken)\n", to: folder + "/token")
        try write(setting.seeds.map { Base64.encode($0) + "\n" }.joined(), to: folder + "/seeds")
        let wallet = try TestWallet(setting.hostWallet)
        var configuration = setting.configuration
        configuration.hostPointer = setting.hostPointer ?? wallet.url("/host")
        configuration.asset = try asset()
        configuration.address = "127.0.0.1"
        configuration.port = 0
        configuration.internalPort = 0
        configuration.tokenPath = folder + "/token"
        configuration.seedsPath = folder + "/seeds"
        // The longest there may be: the wallet is not slow, a busy machine is.
        configuration.wallets.timeout = "1m"
        configuration.wallets.allowsPorts = true
        configuration.wallets.allowsPlainHTTP = true
        configuration.wallets.allowedCIDRs = ["127.0.0.1/32"]
        let ledger = MemoryLedger()
        let stored =
            setting.usesSQLite ? try await StoredLedger.open(LedgerConfiguration(sqlite: folder + "/ledger.db")) : nil
        let store: any PaymentLedger = stored ?? ledger
        let clock = TestClock()
        let service = try PaymentsService(
            configuration: configuration, ledger: store, directory: FixedDirectory(setting.functions),
            registry: MetricsRegistry(), now: { clock.now })
        let ports = try await service.start()
        let running = Task { try await service.run() }
        let world = TestService(
            base: "http://127.0.0.1:\(ports.port)", internalBase: "http://127.0.0.1:\(ports.internalPort)",
            ledger: ledger, store: store, clock: clock, hostWallet: wallet, seed: setting.seeds.first ?? [],
            service: service, folder: folder)
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(world))
        } catch {
            result = .failure(error)
        }
        running.cancel()
        _ = await running.result
        await wallet.stop()
        stored?.close()
        let database = ["/ledger.db", "/ledger.db-wal", "/ledger.db-shm", "/ledger.db.lock"]
        for name in ["/token", "/seeds"] + database + [""] { remove(folder + name) }
        try result.get()
    }

    static func write(_ text: String, to path: String) throws {
        guard let file = fopen(path, "w") else { throw Unusable() }
        defer { fclose(file) }
        fwrite(Array(text.utf8), 1, text.utf8.count, file)
    }

    /// Sends a request to the payers' port.
    func send(
        _ method: HTTPMethod = .get, _ path: String, _ fields: [(String, String)] = [], body: [UInt8]? = nil
    ) async throws -> HTTPClientResponse {
        try await HTTPClient().send(
            HTTPClientRequest(
                method, url: base + path, headers: HTTPHeaders(fields), body: body.map { .bytes($0) } ?? .none))
    }

    /// Sends a request to the internal port, with the token unless told otherwise.
    func sendInside(
        _ method: HTTPMethod = .get, _ path: String, token: String? = TestService.token, body: JSONValue? = nil
    ) async throws -> HTTPClientResponse {
        var headers = HTTPHeaders()
        if let token { headers.set("Authorization", "Bearer " + token) }
        return try await HTTPClient().send(
            HTTPClientRequest(
                method, url: internalBase + path, headers: headers,
                body: body.map { .bytes(JSONWriter().write($0)) } ?? .none))
    }

    /// Hands in a receipt.
    func verify(_ body: String) async throws -> HTTPClientResponse {
        try await send(.post, "/verify", body: Array(body.utf8))
    }

    /// A receipt in base64, made with the newest seed.
    func receipt(nonce: [UInt8], stream: UInt8 = 1, total: UInt64) -> String {
        let secret = ReceiptKey(seed: seed).secret(nonce: nonce)
        return Base64.encode(StreamReceipt(nonce: nonce, stream: stream, total: total, secret: secret).bytes)
    }

    /// Remembers a connection, as an SPSP query does.
    func cache(
        nonce: [UInt8], endpoint: String, identifier: String? = nil, account: PaymentAccount? = nil,
        creditsHost: Bool = false, lifetime: Duration = .seconds(300)
    ) async throws {
        try await store.open(
            StreamConnection(
                nonce: nonce, account: account, identifier: identifier, endpoint: endpoint, creditsHost: creditsHost,
                asset: try Self.asset(), expiresAt: clock.now + lifetime, seed: SeedID(of: seed)))
    }
}

extension HTTPClientResponse {
    /// The content as text.
    var text: String { String(decoding: body, as: UTF8.self) }

    /// The content as JSON.
    func json() throws -> JSONValue { try JSONReader().parse(body) }
}
