import CEpoll
import Glibc
import Synchronization

/// An HTTP/1.1 server on event loops of its own.
///
/// Each loop is one thread with its own listening socket (`SO_REUSEPORT`, when there are several) and everything of the
/// connections it accepted. Handlers are entered on the loop and resume there; a `router` decides before that, and can
/// have requests proxied without any of their content passing through Swift values.
///
/// Promised: one meaning per request or 400, bounded memory per connection, a limit to every wait. Not promised:
/// fairness between the connections of one loop beyond what the kernel's events give.
public final class HTTPServer: Sendable {
    private enum Stage {
        case new
        case running([ServerLoop], port: UInt16, securePort: UInt16?)
        case stopped
    }

    private let configuration: HTTPServerConfiguration
    private let handler: any HTTPHandler
    private let router: (any RequestRouter)?
    private let stage = Mutex(Stage.new)

    /// Makes a server that does not listen yet.
    ///
    /// - Parameters:
    ///   - handler: Answers requests that the router leaves to it, or all of them.
    ///   - router: Looks at each request first.
    public init(
        configuration: HTTPServerConfiguration = HTTPServerConfiguration(), router: (any RequestRouter)? = nil,
        handler: any HTTPHandler
    ) {
        self.configuration = configuration
        self.router = router
        self.handler = handler
    }

    /// Makes a server whose handler is a closure.
    public convenience init(
        configuration: HTTPServerConfiguration = HTTPServerConfiguration(),
        handler: @escaping @Sendable (HTTPRequest) async -> HTTPResponse
    ) {
        self.init(configuration: configuration, handler: HTTPClosureHandler(handler))
    }

    /// Listens and serves from now on.
    ///
    /// - Returns: The port, which the kernel chose if the configuration says 0.
    /// - Throws: `SocketError` when the address cannot be listened on; the server is stopped then.
    @discardableResult
    public func start() throws -> UInt16 {
        try stage.withLock { stage in
            guard case .new = stage else {
                preconditionFailure("A server starts once")
            }
            stage = .stopped
            var port = configuration.port
            var securePort = configuration.secure?.port
            var descriptors: [Int32] = []
            var secureDescriptors: [Int32] = []
            var loops: [ServerLoop] = []
            do {
                for index in 0..<max(1, configuration.loops) {
                    let descriptor = try listeningSocket(port: port)
                    descriptors.append(descriptor)
                    port = try Self.port(of: descriptor)
                    if let wanted = securePort {
                        let descriptor = try listeningSocket(port: wanted)
                        secureDescriptors.append(descriptor)
                        securePort = try Self.port(of: descriptor)
                    }
                    loops.append(
                        ServerLoop(
                            loop: try EventLoop(), index: index, configuration: configuration, handler: handler,
                            router: router))
                }
                for server in loops {
                    try server.loop.start(name: "\(configuration.name)-\(server.index)")
                }
            } catch {
                for descriptor in descriptors + secureDescriptors {
                    close(descriptor)
                }
                throw error
            }
            for (server, descriptor) in zip(loops, descriptors) {
                server.loop.execute { server.listen(on: descriptor, isSecure: false) }
            }
            for (server, descriptor) in zip(loops, secureDescriptors) {
                server.loop.execute { server.listen(on: descriptor, isSecure: true) }
            }
            stage = .running(loops, port: port, securePort: securePort)
            return port
        }
    }

    /// The port it listens on; `nil` before `start` and after `shutdown`.
    public var port: UInt16? {
        stage.withLock { stage in
            if case .running(_, let port, _) = stage {
                return port
            }
            return nil
        }
    }

    /// The port for TLS; `nil` before `start`, after `shutdown`, and where none is listened on.
    public var securePort: UInt16? {
        stage.withLock { stage in
            if case .running(_, _, let port) = stage {
                return port
            }
            return nil
        }
    }

    /// Serves until the task is cancelled, then leaves and shuts down within the configured delay and grace.
    ///
    /// Starts the server if need be.
    ///
    /// - Throws: What `start` throws.
    public func run() async throws {
        let isNew = stage.withLock { stage in
            if case .new = stage {
                return true
            }
            return false
        }
        if isNew {
            try start()
        }
        let (stream, continuation) = AsyncStream<Never>.makeStream()
        await withTaskCancellationHandler {
            for await _ in stream {}
        } onCancel: {
            continuation.finish()
        }
        if configuration.leaveDelay > .zero {
            leave()
            let delay = configuration.leaveDelay
            // Unstructured on purpose: this task is cancelled, which is when the wait begins.
            await Task.detached { try? await Task.sleep(for: delay) }.value
        }
        await shutdown(grace: configuration.shutdownGrace)
    }

    /// Tells each client with its next response to connect anew, while everybody else learns that this server is leaving.
    ///
    /// New connections are still accepted; `shutdown` ends that.
    public func leave() {
        let loops: [ServerLoop] = stage.withLock { stage in
            guard case .running(let loops, _, _) = stage else { return [] }
            return loops
        }
        for server in loops {
            server.loop.execute { server.leave() }
        }
    }

    /// Stops listening, closes idle connections, lets requests under way finish, and ends the loops.
    ///
    /// - Parameter grace: How long requests may take; what is left then is cut.
    public func shutdown(grace: Duration) async {
        let loops: [ServerLoop]? = stage.withLock { stage in
            guard case .running(let loops, _, _) = stage else { return nil }
            stage = .stopped
            return loops
        }
        guard let loops else { return }
        for server in loops {
            server.loop.execute { server.drain() }
        }
        // Unstructured on purpose: a cancelled caller still grants the grace.
        let deadline = Task.detached {
            try await Task.sleep(for: grace)
            for server in loops {
                server.loop.execute { server.closeAll() }
            }
        }
        for server in loops {
            await withCheckedContinuation { continuation in
                let isTaken = server.loop.execute { server.drained(continuation) }
                if !isTaken {
                    continuation.resume()
                }
            }
        }
        deadline.cancel()
        for server in loops {
            await server.loop.stop()
        }
    }

    private func listeningSocket(port: UInt16) throws -> Int32 {
        guard let address = SocketAddress(host: configuration.address, port: port) else {
            throw SocketError(call: "listen on \(configuration.address)", code: EINVAL)
        }
        let descriptor = socket(
            address.family, socket_stream, 0)
        guard descriptor >= 0 else { throw SocketError(call: "socket") }
        do {
            try Self.set(descriptor, SOL_SOCKET, SO_REUSEADDR)
            if configuration.loops > 1 {
                try Self.set(descriptor, SOL_SOCKET, SO_REUSEPORT)
            }
            guard address.withSocketAddress({ bind(descriptor, $0, $1) }) == 0 else {
                throw SocketError(call: "bind \(address)")
            }
            guard Glibc.listen(descriptor, Int32(ListenerChannel.backlog)) == 0 else {
                throw SocketError(call: "listen on \(address)")
            }
            return descriptor
        } catch {
            close(descriptor)
            throw error
        }
    }

    private static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32) throws {
        var on: Int32 = 1
        guard setsockopt(descriptor, level, option, &on, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
            throw SocketError(call: "setsockopt")
        }
    }

    private static func port(of descriptor: Int32) throws -> UInt16 {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutableBytes(of: &address) { bytes in
            getsockname(descriptor, bytes.assumingMemoryBound(to: sockaddr.self).baseAddress, &length)
        }
        guard result == 0 else { throw SocketError(call: "getsockname") }
        return SocketAddress(address).port
    }
}
