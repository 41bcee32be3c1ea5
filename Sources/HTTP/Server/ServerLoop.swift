/// What all connections of one loop share: the configuration, who answers, and room to work in.
///
/// Touched on its loop only, once the server has started.
final class ServerLoop: @unchecked Sendable {
    // SAFETY: constants apart, everything is confined to `loop`'s thread; other threads go through `loop.execute`.

    let loop: EventLoop
    let index: Int
    let configuration: HTTPServerConfiguration
    let handler: any HTTPHandler
    let router: (any RequestRouter)?
    let upstreams: UpstreamPool
    let connectionsMaximum: Int

    /// The head that is being looked at; its room is used again for the next one.
    var requestHead = RequestHead()
    /// The upstream's head that is being looked at.
    var responseHead = UpstreamHead()
    /// Room in which messages to clients are put together (`loop.scratch` is for those to upstreams).
    var responseScratch: [UInt8] = []

    let headNanoseconds: UInt64
    let bodyIdleNanoseconds: UInt64
    let keepAliveNanoseconds: UInt64
    let writeStallNanoseconds: UInt64
    let lingeringNanoseconds: UInt64
    let tunnelIdleNanoseconds: UInt64

    /// Whether responses tell clients to connect anew, to another server than this one.
    private(set) var isLeaving = false
    private var isDraining = false
    private var listener: ListenerChannel?
    private var connections: [ObjectIdentifier: ServerConnection] = [:]
    private var drainWaiters: [CheckedContinuation<Void, Never>] = []

    init(
        loop: EventLoop, index: Int, configuration: HTTPServerConfiguration, handler: any HTTPHandler,
        router: (any RequestRouter)?
    ) {
        self.loop = loop
        self.index = index
        self.configuration = configuration
        self.handler = handler
        self.router = router
        upstreams = UpstreamPool(loop: loop)
        connectionsMaximum = max(1, configuration.connectionsMaximum / max(1, configuration.loops))
        let timeouts = configuration.timeouts
        headNanoseconds = timeouts.head.wholeNanoseconds
        bodyIdleNanoseconds = timeouts.bodyIdle.wholeNanoseconds
        keepAliveNanoseconds = timeouts.keepAliveIdle.wholeNanoseconds
        writeStallNanoseconds = timeouts.writeStall.wholeNanoseconds
        lingeringNanoseconds = timeouts.lingering.wholeNanoseconds
        tunnelIdleNanoseconds = timeouts.tunnelIdle.wholeNanoseconds
    }

    /// Starts to accept on `descriptor`, which listens already.
    func listen(on descriptor: Int32) {
        let listener = ListenerChannel(server: self, descriptor: descriptor)
        guard loop.register(listener) else {
            listener.close()
            return
        }
        self.listener = listener
    }

    /// Takes a new connection.
    func adopt(_ descriptor: Int32, remoteAddress: String) {
        let connection = ServerConnection(server: self, descriptor: descriptor, remoteAddress: remoteAddress)
        guard loop.register(connection) else {
            connection.close()
            return
        }
        connections[ObjectIdentifier(connection)] = connection
        connection.started()
        if connections.count >= connectionsMaximum, !isDraining {
            listener?.pauseReading()
        }
    }

    /// Forgets a connection that was closed.
    func forget(_ connection: ServerConnection) {
        connections[ObjectIdentifier(connection)] = nil
        if connections.count < connectionsMaximum {
            listener?.resumeReading()
        }
        resumeDrainWaiters()
    }

    /// How many connections are open.
    var connectionCount: Int { connections.count }

    /// From now on no connection is kept after its response; new ones are still accepted.
    func leave() {
        isLeaving = true
    }

    /// Accepts what the kernel has accepted for us, then no more; idle connections close, busy ones after their response.
    func drain() {
        guard !isDraining else { return }
        isDraining = true
        isLeaving = true
        // Connections that wait in the listening socket's queue would be reset by closing it.
        listener?.acceptWaiting()
        listener?.close()
        listener = nil
        for connection in Array(connections.values) {
            connection.closeIfIdle()
        }
        upstreams.closeIdle()
    }

    /// Waits until no connection is left.
    func drained(_ waiter: CheckedContinuation<Void, Never>) {
        drainWaiters.append(waiter)
        resumeDrainWaiters()
    }

    /// Closes what is left, wherever it stands.
    func closeAll() {
        for connection in Array(connections.values) {
            connection.close()
        }
        resumeDrainWaiters()
    }

    private func resumeDrainWaiters() {
        guard connections.isEmpty, !drainWaiters.isEmpty else { return }
        let waiters = drainWaiters
        drainWaiters = []
        for waiter in waiters {
            waiter.resume()
        }
    }
}
