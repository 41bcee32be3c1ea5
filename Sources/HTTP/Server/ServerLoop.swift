import Glibc
import TLS

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

    /// Room in which frames of HTTP/2 are gathered.
    var frames: [UInt8] = []
    /// Room for the records that are sent next, where there is TLS.
    var sealed: [UInt8] = []
    /// Plain bytes of the latest read by TLS; empty where there is none.
    ///
    /// What one read brings, and what was left of a record before it, take less than this.
    let openedRoom: UnsafeMutableBufferPointer<UInt8>

    let handshakeNanoseconds: UInt64
    let headNanoseconds: UInt64
    let bodyIdleNanoseconds: UInt64
    let keepAliveNanoseconds: UInt64
    let writeStallNanoseconds: UInt64
    let lingeringNanoseconds: UInt64
    let tunnelIdleNanoseconds: UInt64
    let unreachableNanoseconds: UInt64

    /// Whether responses tell clients to connect anew, to another server than this one.
    private(set) var isLeaving = false
    private(set) var isDraining = false
    private var listeners: [ListenerChannel] = []
    private var connections: [ObjectIdentifier: ClientChannel] = [:]
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
        upstreams = UpstreamPool(
            loop: loop, idleNanoseconds: configuration.timeouts.upstreamIdle.wholeNanoseconds)
        connectionsMaximum = max(1, configuration.connectionsMaximum / max(1, configuration.loops))
        openedRoom = .allocate(
            capacity: configuration.secure == nil ? 0 : EventLoop.readBufferBytes + 2 * TLSSession.recordBytesMaximum)
        openedRoom.initialize(repeating: 0)
        let timeouts = configuration.timeouts
        handshakeNanoseconds = timeouts.handshake.wholeNanoseconds
        headNanoseconds = timeouts.head.wholeNanoseconds
        bodyIdleNanoseconds = timeouts.bodyIdle.wholeNanoseconds
        keepAliveNanoseconds = timeouts.keepAliveIdle.wholeNanoseconds
        writeStallNanoseconds = timeouts.writeStall.wholeNanoseconds
        lingeringNanoseconds = timeouts.lingering.wholeNanoseconds
        tunnelIdleNanoseconds = timeouts.tunnelIdle.wholeNanoseconds
        unreachableNanoseconds = timeouts.unreachable.wholeNanoseconds
    }

    deinit {
        openedRoom.deallocate()
    }

    /// Starts to accept on `descriptor`, which listens already.
    func listen(on descriptor: Int32, isSecure: Bool) {
        let listener = ListenerChannel(server: self, descriptor: descriptor, isSecure: isSecure)
        guard loop.register(listener) else {
            listener.close()
            return
        }
        listeners.append(listener)
    }

    /// Takes a new connection.
    func adopt(_ descriptor: Int32, remoteAddress: String, isSecure: Bool) {
        guard isSecure else {
            adopt(ServerConnection(server: self, descriptor: descriptor, remoteAddress: remoteAddress, tls: nil))
            return
        }
        guard let secure = configuration.secure, let tls = try? TLSSession(secure.context) else {
            Glibc.close(descriptor)
            return
        }
        adopt(HandshakeChannel(server: self, descriptor: descriptor, remoteAddress: remoteAddress, tls: tls))
    }

    /// Lets a connection whose handshake is over speak what was agreed on.
    ///
    /// - Parameters:
    ///   - handshake: The connection so far.
    ///   - tls: Its session.
    ///   - opened: How many plain bytes came with the handshake's end.
    func adopt(_ handshake: HandshakeChannel, _ tls: TLSSession, _ opened: Int) {
        let (descriptor, unsent) = handshake.handOver()
        connections[ObjectIdentifier(handshake)] = nil
        let connection: ClientChannel =
            tls.speaksHTTP2
            ? HTTP2Connection(server: self, descriptor: descriptor, remoteAddress: handshake.remoteAddress, tls: tls)
            : ServerConnection(server: self, descriptor: descriptor, remoteAddress: handshake.remoteAddress, tls: tls)
        adopt(connection)
        guard connection.isOpen else { return }
        if connection.send(unsent.span) == nil {
            connection.close()
        }
        if isDraining {
            connection.closeIfIdle()
        }
        connection.handOn(opened, tls)
    }

    /// Lets a plain connection go on as HTTP/2, which its client has begun.
    ///
    /// - Parameters:
    ///   - plain: The connection so far.
    ///   - bytes: What has come by it, from its beginning.
    func adoptHTTP2(_ plain: ServerConnection, _ bytes: Span<UInt8>) {
        let (descriptor, _) = plain.handOver()
        connections[ObjectIdentifier(plain)] = nil
        let connection = HTTP2Connection(
            server: self, descriptor: descriptor, remoteAddress: plain.remoteAddress, tls: nil)
        adopt(connection)
        guard connection.isOpen else { return }
        connection.received(bytes)
        if isDraining {
            connection.closeIfIdle()
        }
    }

    private func adopt(_ connection: ClientChannel) {
        guard loop.register(connection) else {
            connection.close()
            return
        }
        connections[ObjectIdentifier(connection)] = connection
        connection.started()
        if connections.count >= connectionsMaximum, !isDraining {
            for listener in listeners {
                listener.pauseReading()
            }
        }
    }

    /// Forgets a connection that was closed.
    func forget(_ connection: ClientChannel) {
        connections[ObjectIdentifier(connection)] = nil
        if connections.count < connectionsMaximum {
            for listener in listeners {
                listener.resumeReading()
            }
        }
        resumeDrainWaiters()
    }

    /// How many connections are open.
    var connectionCount: Int { connections.count }

    /// From now on no connection is kept after its response; new ones are still accepted.
    func leave() {
        isLeaving = true
        for connection in Array(connections.values) {
            connection.leave()
        }
    }

    /// Accepts what the kernel has accepted for us, then no more; idle connections close, busy ones after their response.
    func drain() {
        guard !isDraining else { return }
        isDraining = true
        isLeaving = true
        // Connections that wait in the listening socket's queue would be reset by closing it.
        for listener in listeners {
            listener.acceptWaiting()
            listener.close()
        }
        listeners = []
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
