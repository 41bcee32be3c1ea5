import AsyncCalls
import HTTP
import Synchronization
import Telemetry
import Timing

/// Everything about calls that do not wait: who takes them on, keeps them, makes them and shows those that failed.
final class AsyncDesk: Sendable {
    /// How long calls under way may take when the gateway ends; what is left is made by another, or after the restart.
    private static let endLimit = Duration.seconds(15)
    /// How long a scrape may wait for the store's counts.
    private static let countInterval = Duration.seconds(15)

    /// Takes calls on.
    let intake: AsyncCallHandler
    /// Shows those that failed.
    let deadCalls: DeadCallHandler
    private let store: any CallStore
    private let dispatcher: CallDispatcher
    private let ownCalls: HTTPServer
    private let counts = Mutex<CallCounts?>(nil)
    private let logger = Logger(label: "gateway.async")

    /// Wires it.
    ///
    /// - Parameters:
    ///   - configuration: Limits.
    ///   - store: Where calls are kept.
    ///   - router: Finds functions.
    ///   - board: Where they are.
    ///   - loop: A number of a loop that nobody else reads the board by.
    ///   - desk: Where calls are paid.
    ///   - defaultNamespace: That of a name without one.
    ///   - registry: Where metrics go.
    init(
        _ configuration: AsyncConfiguration, store: any CallStore, router: GatewayRouter, board: RouteBoard, loop: Int,
        desk: CallDesk?, defaultNamespace: String, registry: MetricsRegistry
    ) {
        self.store = store
        let table = DispatchTable()
        var server = HTTPServerConfiguration()
        server.address = "127.0.0.1"
        server.name = "gateway-async"
        server.connectionsMaximum = configuration.underWayMaximum + 16
        let ownCalls = HTTPServer(
            configuration: server, router: DispatchRouter(router: router, table: table, loop: loop),
            handler: HTTPClosureHandler { _ in HTTPResponse(.notFound) })
        self.ownCalls = ownCalls
        let metrics = AsyncMetrics(registry)
        let dispatcher = CallDispatcher(
            store: store,
            runner: FunctionCaller(configuration, table: table, board: board, desk: desk) { ownCalls.port },
            settings: configuration.settings, metrics: metrics)
        self.dispatcher = dispatcher
        intake = AsyncCallHandler(
            board: board, store: store, metrics: metrics, defaultNamespace: defaultNamespace,
            bodyBytesMaximum: configuration.bodyBytesMaximum
        ) { dispatcher.wake($0) }
        deadCalls = DeadCallHandler(store: store, tokenPath: configuration.tokenPath) { dispatcher.wake($0) }
        registry.observe("farebox_async_waiting_calls", "Calls that wait, those under way included.") { [weak self] in
            self?.counts.withLock { $0.map { Double($0.waiting) } }
        }
        registry.observe("farebox_async_dead_calls", "Calls that were put away.") { [weak self] in
            self?.counts.withLock { $0.map { Double($0.dead) } }
        }
    }

    /// Makes calls until the task is cancelled, then gives those under way a while.
    ///
    /// - Throws: `SocketError` when no port is left.
    func run() async throws {
        try ownCalls.start()
        // Of its own: a cancelled gateway still lets calls finish.
        let dispatching = Task.detached { [dispatcher] in await dispatcher.run() }
        while !Task.isCancelled {
            if let now = try? await store.counts() { counts.withLock { $0 = now } }
            // A scrape must not wait for the store, and nothing tells when the counts change.
            try? await Task.sleep(for: Self.countInterval)
        }
        dispatcher.drain()
        let deadline = Task.detached {
            // Ends with the calls; else it gives up those that are left.
            try await Task.sleep(for: Self.endLimit)
            dispatching.cancel()
        }
        await dispatching.value
        deadline.cancel()
        await ownCalls.shutdown(grace: .zero)
        await store.close()
        logger.info("Calls that do not wait are left to the next")
    }
}
