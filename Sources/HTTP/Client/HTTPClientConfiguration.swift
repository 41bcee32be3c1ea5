/// How a client connects: trust, identity, proxy, which addresses, how many connections.
public struct HTTPClientConfiguration: Sendable {
    /// Whom to trust and who we are.
    public var tls: TLSIdentity
    /// The proxy to use.
    public var proxy: HTTPProxy
    /// Which addresses may be connected to, after names are resolved.
    ///
    /// Any policy but ``AddressPolicy/any`` goes without a proxy, which would connect out of its sight.
    public var addresses: AddressPolicy
    /// The limit for resolving the name, connecting and the TLS handshake together.
    public var connectTimeout: Duration
    /// Whether HTTP/2 is offered over TLS; the peer may still choose HTTP/1.1.
    ///
    /// For requests that follow each other: with several streams on a connection, libcurl 7.88 can leave one's last bytes where it
    /// read them, beside another's that ended, until something else comes or a timer of its own goes off.
    public var offersHTTP2: Bool
    /// Connections to one host at most, 0 for no limit; further requests wait for a free one (or a free HTTP/2 stream).
    public var connectionsPerHostMaximum: Int
    /// How many redirects to follow; 0 returns the redirect itself.
    ///
    /// Every hop passes the address policy. Authorization and Cookie fields are not sent to another host.
    public var redirectsMaximum: Int
    /// Connect to this name or address instead of the one in the URL, which is still the name verified by TLS.
    public var connectsTo: String?

    /// Makes a configuration; every part has a default.
    ///
    /// - Parameters:
    ///   - tls: The system's certificate authorities and no certificate of ours by default.
    ///   - proxy: What the environment says by default.
    ///   - addresses: Any address by default.
    ///   - connectTimeout: 30 seconds by default, as client-go has it.
    ///   - offersHTTP2: False by default.
    ///   - connectionsPerHostMaximum: 8 by default.
    ///   - redirectsMaximum: 0 by default.
    ///   - connectsTo: The URL's own host by default.
    public init(
        tls: TLSIdentity = TLSIdentity(), proxy: HTTPProxy = .fromEnvironment, addresses: AddressPolicy = .any,
        connectTimeout: Duration = .seconds(30), offersHTTP2: Bool = false, connectionsPerHostMaximum: Int = 8,
        redirectsMaximum: Int = 0, connectsTo: String? = nil
    ) {
        self.tls = tls
        self.proxy = proxy
        self.addresses = addresses
        self.connectTimeout = connectTimeout
        self.offersHTTP2 = offersHTTP2
        self.connectionsPerHostMaximum = connectionsPerHostMaximum
        self.redirectsMaximum = redirectsMaximum
        self.connectsTo = connectsTo
    }
}

/// Whom a client trusts and as whom it appears, all in PEM.
public struct TLSIdentity: Sendable, Hashable {
    /// The certificate authorities to trust instead of the system's.
    public var authorities: [UInt8]?
    /// Our certificate, with its chain.
    public var certificate: [UInt8]?
    /// The key of our certificate.
    public var privateKey: [UInt8]?
    /// Whether the peer's certificate is not looked at; only for trials.
    public var skipsVerification: Bool

    /// Makes an identity; by default the system's authorities and no certificate of ours.
    public init(
        authorities: [UInt8]? = nil, certificate: [UInt8]? = nil, privateKey: [UInt8]? = nil,
        skipsVerification: Bool = false
    ) {
        self.authorities = authorities
        self.certificate = certificate
        self.privateKey = privateKey
        self.skipsVerification = skipsVerification
    }
}

extension TLSIdentity: CustomStringConvertible, CustomReflectable {
    /// Which parts are set; never a key.
    public var description: String {
        "TLSIdentity(authorities: \(authorities == nil ? "system" : "given"), certificate: \(certificate != nil), "
            + "skipsVerification: \(skipsVerification))"
    }
    /// Shows which parts are set; never a key.
    public var customMirror: Mirror { Mirror(self, children: ["summary": description]) }
}

/// Through which proxy a client connects.
public enum HTTPProxy: Sendable, Hashable {
    /// What `HTTPS_PROXY`, `https_proxy`, `http_proxy`, `ALL_PROXY` and `NO_PROXY` say.
    case fromEnvironment
    /// None, whatever the environment says.
    case none
    /// This one: `http://`, `https://` or `socks5://host:port`; names are resolved by the proxy.
    case url(String)
}
