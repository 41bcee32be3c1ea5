public import TLS

/// How an `HTTPServer` listens and what it puts up with.
public struct HTTPServerConfiguration: Sendable {
    /// The numeric address to listen on.
    ///
    /// `::` takes IPv4 as well where the machine has IPv6; `0.0.0.0` IPv4 only.
    public var address = "0.0.0.0"
    /// The TCP port; 0 lets the kernel choose, `start()` tells which.
    public var port: UInt16 = 0
    /// Where it takes connections by TLS as well; `nil` for nowhere.
    public var secure: SecureListener?
    /// Whether plain connections may begin with HTTP/2 at once, by prior knowledge (RFC 9113 §3.3).
    public var acceptsPlainHTTP2 = false
    /// Event loops, each a thread with a listening socket of its own.
    public var loops = 1
    /// Names the threads.
    public var name = "http"
    /// The largest heads taken.
    public var headLimits = HeadLimits()
    /// The largest content a handler gets, 32 MiB unless told: longer ones are answered 413.
    ///
    /// Proxied content has no limit.
    public var bodyBytesMaximum: UInt64 = 32 * 1024 * 1024
    /// Connections open at once over all loops; further ones wait in the kernel.
    public var connectionsMaximum = 16 * 1024
    /// How long each wait may take.
    public var timeouts = HTTPServerTimeouts()
    /// How long `run()` goes on to take connections once it is cancelled, while others learn that this server leaves.
    public var leaveDelay: Duration = .zero
    /// How long `run()` lets requests finish after that.
    public var shutdownGrace: Duration = .seconds(20)

    /// Takes the defaults given above.
    public init() {}
}

/// Where and how a server takes connections by TLS, on the same address and loops as plain ones.
public struct SecureListener: Sendable {
    /// The TCP port; 0 lets the kernel choose.
    public var port: UInt16
    /// Certificates and what is offered.
    public var context: TLSContext

    /// Makes one.
    public init(port: UInt16, context: TLSContext) {
        self.port = port
        self.context = context
    }
}

/// How long a server waits for a client.
public struct HTTPServerTimeouts: Sendable {
    /// From a connection's first byte to the end of its TLS handshake.
    public var handshake: Duration = .seconds(10)
    /// From the first byte of a head to its last.
    public var head: Duration = .seconds(15)
    /// Between two pieces of a request's content.
    public var bodyIdle: Duration = .seconds(60)
    /// Between two requests on one connection; more than the 60 s of common load balancers, so that they close first.
    public var keepAliveIdle: Duration = .seconds(75)
    /// While the client takes none of the bytes that wait for it.
    public var writeStall: Duration = .seconds(60)
    /// After the last response on a connection, while the client may still be sending.
    public var lingering: Duration = .seconds(3)
    /// From the start of a proxied request, while none of its endpoints can be connected to and it is tried again.
    public var unreachable: Duration = .seconds(5)
    /// While no request uses a connection to an upstream; less than the minute or so after which servers tend to close.
    public var upstreamIdle: Duration = .seconds(45)
    /// While nothing at all passes in either direction of an upgraded connection.
    public var tunnelIdle: Duration = .seconds(3600)

    /// Takes the defaults given above.
    public init() {}
}

extension Duration {
    /// Whole nanoseconds, for the loops' timers; 0 for a negative duration, at most about 292 years.
    var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        guard seconds < Int64.max / 1_000_000_000 else { return UInt64(Int64.max) }
        return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds) / 1_000_000_000
    }
}
