import AsyncCalls
import ControllerRuntime
import Cryptography
import HTTP
public import KubernetesClient
import KubernetesTypes
import Payments
import Scaling
import Synchronization
import TLS
public import Telemetry

/// The gateway: takes calls on its public port and passes them to functions.
///
/// It answers calls from the moment its routes are complete. The internal port serves `/healthz`, `/readyz` and
/// `/metrics`; the public port serves functions and nothing else.
public final class GatewayService: Sendable {
    /// Where the routes come from.
    public enum Routes: Sendable {
        /// Functions and EndpointSlices of a cluster, watched.
        case cluster(any KubernetesAPI)
        /// A file.
        case fixed(StaticRoutes)
    }

    /// The ports that are listened on.
    public struct Ports: Sendable, Equatable {
        /// For callers.
        public let callers: UInt16
        /// For callers by TLS, where there is a port for them.
        public let secureCallers: UInt16?
        /// For probes and Prometheus.
        public let probes: UInt16
    }

    /// How long the first complete list of functions and addresses may take.
    static let syncLimit: Duration = .seconds(120)

    private let configuration: GatewayConfiguration
    private let routes: Routes
    private let registry: MetricsRegistry
    private let logger = Logger(label: "gateway")
    private let source: RouteSource
    private let server: HTTPServer
    private let probes: HTTPServer
    private let isReady: ReadyFlag
    private let desk: CallDesk?
    private let ownCalls: AsyncDesk?
    private let accessLog: AccessLog?
    /// Nil where callers do not come by TLS, or no Secrets are watched.
    private let certificates: CertificateWatch?

    /// Wires the gateway; `run` starts it.
    ///
    /// - Throws: `TLSError` when OpenSSL cannot be set up.
    public init(configuration: GatewayConfiguration, routes: Routes, registry: MetricsRegistry) throws {
        self.configuration = configuration
        self.routes = routes
        self.registry = registry
        let loops = max(1, configuration.loops ?? ProcessorCount.available)
        let metrics = GatewayMetrics(registry)
        // One more than callers have: the gateway's own calls come by a loop of their own.
        let board = RouteBoard(loops: loops + 1)
        if let payment = configuration.payment, payment.publicURL == nil {
            logger.warning("payments.publicURL is not set: callers are not told where to pay")
        }
        desk = configuration.payment.map { payment in
            // Two gateways of one name would take each other's leases.
            CallDesk(
                source: LeaseClient(url: payment.internalURL, tokenPath: payment.tokenPath), payer: payment.publicURL,
                holder: "gateway-" + Hex.encode(randomBytes(8)))
        }
        let waker: ScaleCall? = if case .cluster(let api) = routes { ScaleCall(api: api) } else { nil }
        let source = RouteSource(
            board: board, metrics: metrics, defaultTimeout: configuration.timeout, desk: desk, waker: waker,
            waitingMaximum: configuration.waitingMaximum)
        self.source = source
        registry.observe(
            "gateway_service_count", "Replicas of a function that take calls.", label: "function_name"
        ) {
            source.addressCounts.mapValues { Double($0) }
        }
        let accessLog =
            configuration.accessLogShare > 0
            ? AccessLog(
                share: configuration.accessLogShare, output: configuration.accessLogOutput, registry: registry) : nil
        self.accessLog = accessLog
        let router = GatewayRouter(
            board: board, metrics: metrics, rootDomain: configuration.rootDomain,
            defaultNamespace: configuration.functionsNamespace, wakeLimit: configuration.wakeTimeout,
            redirect: configuration.tls.flatMap { $0.redirects ? PlainRedirect(port: $0.publicPort) : nil },
            takesAsyncCalls: configuration.async != nil, accessLog: accessLog)
        let ownCalls = Self.makeAsync(
            configuration, router: router, board: board, loop: loops, desk: desk, registry: registry)
        self.ownCalls = ownCalls
        let store = configuration.tls.map { CertificateStore(folder: $0.folder, registry: registry) }
        if case .cluster(let api) = routes, let store, let namespace = configuration.tls?.secretsNamespace {
            certificates = CertificateWatch(api: api, namespace: namespace, store: store)
        } else {
            certificates = nil
        }
        server = HTTPServer(
            configuration: try Self.callers(configuration, loops: loops, store), router: router,
            // The router decides about every other request; nothing else is left to handle.
            handler: ownCalls.map { $0.intake as any HTTPHandler }
                ?? HTTPClosureHandler { _ in HTTPResponse(.notFound) })
        let isReady = ReadyFlag()
        self.isReady = isReady
        probes = Self.probes(configuration, source, ownCalls, isReady, registry)
    }

    /// Serves until the task is cancelled, then drains: not ready at once, no new connections after `drainDelay`, and
    /// what is under way finishes within `shutdownGrace`.
    ///
    /// - Parameter started: Told the ports once both are listened on.
    /// - Throws: `SocketError` when a port is taken, `InformersNotSynced` when the cluster does not answer.
    public func run(started: @Sendable (Ports) -> Void = { _ in }) async throws {
        let probePort = try probes.start()
        do {
            let watching = Task { [certificates] in await certificates?.run() }
            defer { watching.cancel() }
            let informers = try await installRoutes()
            try await certificates?.waitForSync()
            let callerPort = try server.start()
            let looks = Task { [desk] in await desk?.run() }
            defer { looks.cancel() }
            let calling = Task { [ownCalls] in try await ownCalls?.run() }
            defer { calling.cancel() }
            isReady.value = true
            logger.info(
                "Gateway serves",
                [
                    "port": callerPort, "tlsPort": server.securePort.map { "\($0)" } ?? "none",
                    "internalPort": probePort, "functions": source.count,
                ])
            started(Ports(callers: callerPort, secureCallers: server.securePort, probes: probePort))
            await untilCancelled()
            isReady.value = false
            logger.info("Gateway drains", ["delay": configuration.drainDelay, "grace": configuration.shutdownGrace])
            server.leave()
            await sleepThroughCancellation(configuration.drainDelay)
            calling.cancel()
            await server.shutdown(grace: configuration.shutdownGrace)
            _ = await calling.result
            watching.cancel()
            await watching.value
            await informers?.stop()
            await desk?.closeAll()
            await accessLog?.finish()
        } catch {
            await server.shutdown(grace: .zero)
            await probes.shutdown(grace: .zero)
            throw error
        }
        await probes.shutdown(grace: .zero)
    }

    /// What the internal port serves: probes, metrics, how busy the functions are, what became of calls.
    private static func probes(
        _ configuration: GatewayConfiguration, _ source: RouteSource, _ ownCalls: AsyncDesk?, _ isReady: ReadyFlag,
        _ registry: MetricsRegistry
    ) -> HTTPServer {
        var internals = HTTPServerConfiguration()
        internals.address = configuration.internalAddress
        internals.port = configuration.internalPort
        internals.name = "gateway-internal"
        let load = LoadTeller(source: source)
        let report = CallReport(source: source)
        return HTTPServer(configuration: internals) { request in
            switch request.path {
            case "/calls": report.answer(query: request.query ?? "")
            case "/healthz": .text(.ok, "ok\n")
            case "/readyz":
                isReady.value ? .text(.ok, "ok\n") : .text(.serviceUnavailable, "routes are not complete\n")
            case LoadReport.path: load.response
            case "/metrics":
                HTTPResponse(
                    .ok, headers: HTTPHeaders([("Content-Type", MetricsRegistry.contentType)]),
                    body: .bytes(registry.render()))
            default:
                if let ownCalls, request.path.hasPrefix(DeadCallHandler.prefix) {
                    await ownCalls.deadCalls.handle(request)
                } else {
                    .problem(.notFound, detail: "There is nothing here.", requestID: request.requestID)
                }
            }
        }
    }

    /// How callers are listened for.
    private static func callers(
        _ configuration: GatewayConfiguration, loops: Int, _ certificates: CertificateStore?
    ) throws -> HTTPServerConfiguration {
        var callers = HTTPServerConfiguration()
        callers.address = configuration.address
        callers.port = configuration.port
        callers.loops = loops
        callers.name = "gateway"
        callers.connectionsMaximum = configuration.connectionsMaximum
        callers.shutdownGrace = configuration.shutdownGrace
        callers.acceptsPlainHTTP2 = configuration.acceptsPlainHTTP2
        if let tls = configuration.tls, let certificates {
            callers.secure = try listener(tls, certificates)
        }
        // Only calls that do not wait are held here; others pass through.
        callers.bodyBytesMaximum = UInt64(configuration.async?.bodyBytesMaximum ?? 0)
        return callers
    }

    /// A port for TLS that shows what a store of certificates has at each handshake.
    private static func listener(_ tls: GatewayTLS, _ certificates: CertificateStore) throws -> SecureListener {
        let context = try TLSContext(
            offersHTTP2: tls.offersHTTP2, willShow: { context in certificates.update { context.replace($0) } })
        // So that a folder without a certificate is told at the start.
        certificates.update { context.replace($0) }
        return SecureListener(port: tls.port, context: context)
    }

    /// Makes what calls that do not wait take; nil where they are not taken on, or cannot be.
    private static func makeAsync(
        _ configuration: GatewayConfiguration, router: GatewayRouter, board: RouteBoard, loop: Int, desk: CallDesk?,
        registry: MetricsRegistry
    ) -> AsyncDesk? {
        guard let section = configuration.async else { return nil }
        do throws(CallStoreError) {
            return AsyncDesk(
                section, store: try section.openStore(), router: router, board: board, loop: loop, desk: desk,
                defaultNamespace: configuration.functionsNamespace, registry: registry)
        } catch {
            Logger(label: "gateway").error("Calls that do not wait are not taken on", ["error": error])
            return nil
        }
    }

    /// Fills the board, and keeps filling it where there is something to watch.
    private func installRoutes() async throws -> SharedInformers? {
        switch routes {
        case .fixed(let fixed):
            try fixed.install(into: source, defaultNamespace: configuration.functionsNamespace)
            return nil
        case .cluster(let api):
            let informers = SharedInformers(api: api)
            let zone = await zone(api)
            try await ClusterRoutes(source: source, zone: zone).watch(api: api, informers: informers)
            informers.start()
            do {
                try await informers.waitForSync(within: Self.syncLimit)
            } catch {
                await informers.stop()
                throw error
            }
            return informers
        }
    }

    /// The zone of the node that the gateway runs on; nil where nobody says.
    private func zone(_ api: any KubernetesAPI) async -> String? {
        guard let name = configuration.nodeName else { return nil }
        do {
            let node = try await api.get(Node.self, ObjectKey(name: name))
            return node.metadata.labels[Node.zoneLabel]
        } catch {
            logger.warning(
                "The own zone is not known: addresses of all zones are alike", ["node": name, "error": "\(error)"])
            return nil
        }
    }

    private func untilCancelled() async {
        let (stream, continuation) = AsyncStream<Never>.makeStream()
        await withTaskCancellationHandler {
            for await _ in stream {}
        } onCancel: {
            continuation.finish()
        }
    }

    /// Waits although this task is cancelled: that is when the wait begins.
    private func sleepThroughCancellation(_ duration: Duration) async {
        guard duration > .zero else { return }
        let wait = Task.detached { try? await Task.sleep(for: duration) }
        await wait.value
    }
}

/// Whether calls may be sent here, for the readiness probe.
private final class ReadyFlag: Sendable {
    private let flag = Atomic<Bool>(false)

    var value: Bool {
        get { flag.load(ordering: .relaxed) }
        set { flag.store(newValue, ordering: .relaxed) }
    }
}
