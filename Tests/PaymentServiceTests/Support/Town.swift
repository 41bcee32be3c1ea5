import CRDs
import ControllerRuntime
import Cryptography
import Glibc
import KubernetesClient
import KubernetesTypes
import MemoryCluster
import Synchronization
import Telemetry
import Testing
import Timing
import YAML

@testable import PaymentService
@testable import Payments

/// A namespace with payments at work, and a test that plays its wallets, its gateway and its people.
final class Town: Sendable {
    static let seed = [UInt8](repeating: 7, count: 32)
    static let price = "{amount: 10, assetCode: XRP, assetScale: 9, calls: 1000}"

    /// The API as people use it.
    let api: any KubernetesAPI
    /// The API as payments use it.
    let controllerAPI: RecordingAPI
    let namespace: String
    let ledger: UnreliableLedger
    let desk: ReceiptDesk
    let asset: Asset
    private let backend: Backend
    private let folder: String
    private let limits: ReceiptPublisher.Limits
    private let interval: Duration
    private let follower = Mutex<LedgerFollower?>(nil)
    private let informers = Mutex<SharedInformers?>(nil)
    private let running = Mutex<Task<Void, any Error>?>(nil)

    /// Makes a namespace and a ledger, and starts payments.
    ///
    /// - Parameters:
    ///   - interval: How far apart the writes of one Function's status are.
    ///   - fault: Fails requests of payments.
    init(
        on backend: Backend, limits: ReceiptPublisher.Limits = .init(), interval: Duration = .milliseconds(1),
        fault: RecordingAPI.Fault? = nil, isStarted: Bool = true
    ) async throws {
        self.backend = backend
        self.limits = limits
        self.interval = interval
        api = try await backend.api()
        controllerAPI = RecordingAPI(api, fault: fault)
        namespace = try await backend.namespace(api)
        asset = try #require(Asset(code: "XRP", scale: 9))
        // A folder that no other test has; mkdtemp puts letters of its own in the place of the X.
        var template = Array("/tmp/farebox-town-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw LedgerError.unavailable("mkdtemp: \(errno)") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        ledger = UnreliableLedger(try await StoredLedger.open(LedgerConfiguration(sqlite: folder + "/ledger.db")))
        let seeds = SeedRing(ledger: ledger, lifetime: .seconds(300))
        // Streams of these tests may be older than they are.
        _ = try await ledger.addSeed(Self.seed, onlyIfNone: false, now: .earliest)
        try await seeds.refresh()
        desk = ReceiptDesk(ledger: ledger, seeds: seeds)
        if isStarted { start() }
    }

    deinit {
        running.withLock { $0?.cancel() }
        for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db.lock"] { unlink(folder + "/" + name) }
        rmdir(folder)
    }

    /// Starts the controllers.
    func start() {
        var managing = ManagerConfiguration()
        managing.handlesSignals = false
        managing.healthAddress = nil
        // When it ends, the process ends with it.
        managing.gracePeriod = .seconds(600)
        let manager = Manager(api: controllerAPI, configuration: managing, metrics: MetricsRegistry())
        let new = PaymentControllers.assemble(
            in: manager, api: controllerAPI,
            parts: PaymentControllers.Parts(
                ledger: ledger, desk: desk, asset: asset, namespace: namespace, homeNamespace: namespace),
            pace: StatusPace(interval: interval), limits: limits)
        informers.withLock { $0 = manager.informers }
        follower.withLock { $0 = new }
        running.withLock { $0 = Task { try await manager.run() } }
    }

    /// Looks at the ledger once, as payments do every ten seconds.
    func look(now: Timestamp = .now) async throws {
        try await informers.withLock { $0 }?.waitForSync()
        await follower.withLock { $0 }?.pass(now: now)
    }

    /// Looks at the ledger until the names of the Receipts are as `condition` wants them: the cache may be behind.
    @discardableResult
    func look(
        now: Timestamp = .now, sourceLocation: SourceLocation = #_sourceLocation, until condition: ([String]) -> Bool
    ) async throws -> [String] {
        let end = ContinuousClock.now + .seconds(120)
        while true {
            try await look(now: now)
            let names = try await api.list(Receipt.self, namespace: namespace).items.map(\.metadata.name)
            if condition(names) || ContinuousClock.now > end {
                #expect(condition(names), "\(names)", sourceLocation: sourceLocation)
                return names
            }
            try await ContinuousClock().sleep(for: .milliseconds(5))
        }
    }

    /// Stops the controllers and starts others.
    func restart() async throws {
        try await stop()
        start()
    }

    private func stop() async throws {
        let task = running.withLock { $0 }
        task?.cancel()
        try await task?.value
    }

    /// Stops the controllers and clears up.
    func end() async throws {
        try await stop()
        ledger.ledger.close()
        try await backend.cleanUp(api, namespace: namespace)
    }

    // MARK: - Objects

    func key(_ name: String) -> ObjectKey { ObjectKey(namespace: namespace, name: name) }

    @discardableResult
    func makeFunction(
        _ name: String = "hello", annotations: [String: String] = [:], payment: String?
    ) async throws -> Function {
        var spec = FunctionSpec(image: "image")
        spec.payment = try payment.map { try YAMLReader().decode(FunctionPayment.self, from: Array($0.utf8)) }
        return try await api.create(
            Function(
                metadata: ObjectMeta(name: name, namespace: namespace, annotations: annotations), spec: spec))
    }

    @discardableResult
    func makeReceipt(_ name: String, _ receipt: String) async throws -> Receipt {
        try await api.create(
            Receipt(metadata: ObjectMeta(name: name, namespace: namespace), spec: ReceiptSpec(receipt: receipt)))
    }

    func account(_ function: String = "hello") throws -> PaymentAccount {
        try #require(PaymentAccount(namespace: namespace, function: function))
    }

    // MARK: - Wallets

    /// A connection that a wallet accepted.
    func connect(
        _ number: UInt8, function: String? = "hello", creditsHost: Bool = true,
        until expiresAt: Timestamp = .now + .seconds(300)
    ) async throws {
        try await ledger.open(
            StreamConnection(
                nonce: Self.nonce(number), account: try function.map { try account($0) }, identifier: nil,
                endpoint: creditsHost ? "$host.example" : "$wallet.example/alice", creditsHost: creditsHost,
                asset: asset, expiresAt: expiresAt, seed: SeedID(of: Self.seed)))
    }

    static func nonce(_ number: UInt8) -> [UInt8] { [UInt8](repeating: number, count: 16) }

    /// What the wallet makes of money that came in.
    static func receipt(
        _ number: UInt8, stream: UInt8 = 1, total: UInt64, seed: [UInt8] = Town.seed
    ) -> String {
        let nonce = nonce(number)
        let secret = ReceiptKey(seed: seed).secret(nonce: nonce)
        return Base64.encode(StreamReceipt(nonce: nonce, stream: stream, total: total, secret: secret).bytes)
    }

    /// Hands a receipt in at the desk, as payers do.
    func pay(_ number: UInt8, total: UInt64, now: Timestamp = .now) async throws {
        let outcome = await desk.submit(Array(Self.receipt(number, total: total).utf8), now: now)
        guard case .credited = outcome else {
            Issue.record("not taken: \(outcome)")
            return
        }
    }

    // MARK: - Waiting

    /// Waits until an object is as `condition` wants it.
    @discardableResult
    func eventually<Resource: KubernetesResource>(
        _ type: Resource.Type, _ name: String, sourceLocation: SourceLocation = #_sourceLocation,
        _ condition: (Resource) -> Bool
    ) async throws -> Resource {
        var last: Resource?
        let end = ContinuousClock.now + .seconds(120)
        while ContinuousClock.now < end {
            do {
                let object = try await api.get(type, key(name))
                if condition(object) { return object }
                last = object
            } catch let error as KubernetesError where error.isNotFound {
                last = nil
            }
            try await ContinuousClock().sleep(for: .milliseconds(5))
        }
        Issue.record("not within two minutes: \(String(describing: last))", sourceLocation: sourceLocation)
        throw DeadlineExceeded(limit: .seconds(120))
    }
}

extension Receipt {
    func condition(_ type: ReceiptCondition) -> Condition? { status?.conditions.condition(type.rawValue) }

    /// The reason of `Ready`, once it is about this generation.
    var reason: String? {
        guard status?.observedGeneration == metadata.generation else { return nil }
        return condition(.ready)?.reason
    }
}

extension Function {
    var funded: Condition? { status?.conditions.condition(FunctionCondition.funded.rawValue) }
}
