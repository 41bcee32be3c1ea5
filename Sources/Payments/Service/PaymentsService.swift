import Cryptography
import HTTP
import Synchronization
public import Telemetry
public import Timing

/// The process behind `farebox payments`: it asks wallets for money, takes the receipts, and leases calls to the gateway.
public final class PaymentsService: Sendable {
    /// Where receipts are handed in, for whoever has them beside the payers.
    public let desk: ReceiptDesk
    private let ledger: any PaymentLedger
    private let seeds: SeedRing
    private let seedsPath: String?
    /// The administrator's seeds that the ledger has.
    private let adopted = Mutex<[[UInt8]]>([])
    private let tokens: BearerTokens
    private let metrics: PaymentsMetrics
    private let publicServer: HTTPServer
    private let internalServer: HTTPServer
    private let now: @Sendable () -> Timestamp
    private let logger = Logger(label: "payments")

    /// How often files are read anew, other replicas' seeds looked for and overdue leases ended.
    private static let upkeepInterval = Duration.seconds(5)
    private static let internalConnectionsMaximum = 1024
    private static let seedBytes = 16...1024

    /// Reads the files that the configuration names and prepares to listen.
    ///
    /// - Parameters:
    ///   - configuration: The section `payments`.
    ///   - ledger: Where money is counted.
    ///   - directory: Which functions take money.
    ///   - registry: Gets the metrics, and is served on the internal port.
    ///   - now: The wall clock.
    /// - Throws: ``PaymentsError`` that says what to do.
    public init(
        configuration: PaymentsConfiguration, ledger: any PaymentLedger, directory: any PaymentDirectory,
        registry: MetricsRegistry, now: @escaping @Sendable () -> Timestamp = { .now }
    ) throws(PaymentsError) {
        let problems = configuration.validate()
        guard problems.isEmpty else { throw PaymentsError(problems.joined(separator: "; ")) }
        guard let hostPointer = configuration.hostPointer, let asset = configuration.asset else {
            throw PaymentsError("payments.hostPointer and payments.asset are missing: whom to pay, and in what")
        }
        let rules = configuration.wallets.pointerRules
        let share: RevenueShare
        do {
            share = RevenueShare(host: try PaymentPointer(hostPointer, rules: rules), rules: rules)
        } catch {
            throw PaymentsError("payments.hostPointer: \(error)")
        }
        let authorities = try configuration.wallets.certificatesPath.map { path throws(PaymentsError) in
            try SmallFile.read(path, bytesMaximum: 1 << 20)
        }
        self.ledger = ledger
        self.now = now
        seedsPath = configuration.seedsPath
        tokens = try BearerTokens(path: configuration.tokenPath)
        metrics = PaymentsMetrics(registry)
        seeds = SeedRing(ledger: ledger, lifetime: configuration.lifetime)
        desk = ReceiptDesk(ledger: ledger, seeds: seeds)
        let queries = FlightLimit(
            maximum: configuration.queriesMaximum, perNameMaximum: configuration.queriesPerWalletMaximum)
        let receipts = FlightLimit(maximum: configuration.requestsMaximum)
        let leases = FlightLimit(maximum: configuration.requestsMaximum)
        for (kind, limit) in [("query", queries), ("receipt", receipts), ("lease", leases)] {
            registry.observe(
                "farebox_payments_\(kind)_requests_in_flight", "Requests of this kind under way.", isCounter: false
            ) { Double(limit.count) }
        }
        publicServer = HTTPServer(
            configuration: Self.publicSettings(configuration),
            handler: PublicHandler(
                proxy: SPSPProxy(
                    directory: directory, ledger: ledger, seeds: seeds, share: share,
                    wallets: WalletClient(configuration: configuration.wallets, authorities: authorities),
                    asset: asset, lifetime: configuration.lifetime, flights: queries,
                    rate: QueryRate(perSecond: configuration.queriesPerSecondMaximum), metrics: metrics, now: now),
                receipts: ReceiptHandler(desk: desk, flights: receipts, metrics: metrics, now: now),
                pages: FunctionPage(
                    directory: directory, ledger: ledger, publicURL: configuration.publicURL, flights: receipts),
                metrics: metrics))
        internalServer = HTTPServer(
            configuration: Self.internalSettings(configuration),
            handler: InternalHandler(
                leases: LeaseHandler(
                    ledger: ledger, directory: directory, tokens: tokens, flights: leases, metrics: metrics, now: now),
                ledger: ledger, seeds: seeds, metrics: metrics, registry: registry))
    }

    private static func publicSettings(_ configuration: PaymentsConfiguration) -> HTTPServerConfiguration {
        var settings = HTTPServerConfiguration()
        settings.address = configuration.address
        settings.port = configuration.port
        settings.loops = configuration.loops
        settings.name = "payments"
        settings.connectionsMaximum = configuration.connectionsMaximum
        // The handlers have limits of their own, far below, and answer in the words of the contract.
        settings.bodyBytesMaximum = UInt64(Int64.max)
        // Payers are strangers, and what they send is small.
        settings.timeouts.bodyIdle = .seconds(10)
        return settings
    }

    private static func internalSettings(_ configuration: PaymentsConfiguration) -> HTTPServerConfiguration {
        var settings = HTTPServerConfiguration()
        settings.address = configuration.address
        settings.port = configuration.internalPort
        settings.name = "internal"
        settings.connectionsMaximum = internalConnectionsMaximum
        settings.bodyBytesMaximum = 64 << 10
        return settings
    }

    /// Sees that there is a seed, and listens.
    ///
    /// - Returns: The ports, which the kernel chose where the configuration says 0.
    /// - Throws: ``PaymentsError``, or when an address cannot be listened on.
    @discardableResult
    public func start() async throws -> (port: UInt16, internalPort: UInt16) {
        let own = try ownSeeds()
        do {
            try await seeds.adopt(own, now: now())
            adopted.withLock { $0 = own }
        } catch {
            throw PaymentsError("the ledger takes no seed: \(error)")
        }
        let ports = (port: try publicServer.start(), internalPort: try internalServer.start())
        logger.info("Payments are taken", ["port": ports.port, "internalPort": ports.internalPort])
        return ports
    }

    /// Serves until the task is cancelled, then lets requests under way finish.
    ///
    /// ``start()`` comes first.
    public func run() async throws {
        try await withThrowingTaskGroup { group in
            group.addTask { try await self.publicServer.run() }
            group.addTask { try await self.internalServer.run() }
            group.addTask { await self.keepUp() }
            try await group.waitForAll()
        }
    }

    private func keepUp() async {
        while !Task.isCancelled {
            // Nothing tells that a lease grew old, a file changed or another replica added a seed. A sleep throws only when the
            // task is cancelled, which is looked at next.
            try? await Task.sleep(for: Self.upkeepInterval)
            if !Task.isCancelled { await upkeep() }
        }
    }

    /// Does what is due once in a while; each part goes on when another does not work.
    func upkeep() async {
        tokens.reload()
        await renewSeeds()
        await endLeases()
    }

    private func renewSeeds() async {
        do {
            let own = try ownSeeds()
            guard own != adopted.withLock({ $0 }) else { return try await seeds.refresh() }
            try await seeds.adopt(own, now: now())
            adopted.withLock { $0 = own }
            logger.info("Took the seeds of the file", ["count": own.count])
        } catch {
            logger.warning("The seeds cannot be read; the old ones count", ["error": "\(error)"])
        }
    }

    /// Ends leases that nobody settled, as long as there are many.
    private func endLeases() async {
        do {
            while !Task.isCancelled {
                let count = try await ledger.expireLeases(now: now())
                metrics.expired(count)
                if count > 0 { logger.info("Ended leases that nobody settled", ["count": count]) }
                if count < LedgerLimits.expiriesMaximum { return }
            }
        } catch {
            logger.warning("Overdue leases cannot be ended", ["error": "\(error)"])
        }
    }

    /// The administrator's own seeds, newest first; none where there is no file for them.
    private func ownSeeds() throws(PaymentsError) -> [[UInt8]] {
        guard let seedsPath else { return [] }
        let lines = try SecretLines.read(seedsPath)
        let seeds = lines.compactMap { Base64.decode($0) }.filter { Self.seedBytes.contains($0.count) }
        guard !seeds.isEmpty, seeds.count == lines.count, seeds.count <= LedgerLimits.seedsMaximum else {
            throw PaymentsError(
                "\(seedsPath) must hold seeds of \(Self.seedBytes.lowerBound) bytes or more in base64, one a line, at most "
                    + "\(LedgerLimits.seedsMaximum)")
        }
        return seeds
    }
}
