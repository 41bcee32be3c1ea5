/// One request of a client.
public struct HTTPClientRequest: Sendable {
    /// The method.
    public var method: HTTPMethod
    /// An absolute `http` or `https` URL without user name, percent-encoded where needed.
    public var url: String
    /// The header fields; `Host` and `Content-Length` are made by the client unless given.
    public var headers: HTTPHeaders
    /// What to send.
    public var body: Body
    /// The limit for the whole exchange, or `nil` for none.
    public var timeout: Duration?
    /// The limit for everything up to the head of the response, or `nil` for none.
    ///
    /// It is what a stream has in the place of ``timeout``.
    public var headTimeout: Duration?
    /// The longest time without a byte of the response once its head is there, or `nil` for none.
    ///
    /// Time in which the reader of a stream holds the sender up does not count.
    public var idleTimeout: Duration?
    /// The longest body that ``HTTPClient/send(_:)`` collects, after decompression.
    ///
    /// A stream is not limited.
    public var responseBytesMaximum: Int
    /// Whether a compressed response is asked for; it arrives decompressed.
    public var acceptsCompression: Bool
    /// How the request is signed for an AWS-like service, or `nil` for not at all.
    public var signature: AWSSignature?

    /// Makes a request.
    ///
    /// - Parameters:
    ///   - method: The method.
    ///   - url: An absolute URL.
    ///   - headers: The header fields.
    ///   - body: What to send.
    ///   - timeout: 60 seconds by default.
    ///   - headTimeout: None by default.
    ///   - idleTimeout: None by default.
    ///   - responseBytesMaximum: 16 MiB by default.
    ///   - acceptsCompression: False by default.
    ///   - signature: None by default.
    public init(
        _ method: HTTPMethod = .get, url: String, headers: HTTPHeaders = HTTPHeaders(), body: Body = .none,
        timeout: Duration? = .seconds(60), headTimeout: Duration? = nil, idleTimeout: Duration? = nil,
        responseBytesMaximum: Int = 16 << 20, acceptsCompression: Bool = false, signature: AWSSignature? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.headTimeout = headTimeout
        self.idleTimeout = idleTimeout
        self.responseBytesMaximum = responseBytesMaximum
        self.acceptsCompression = acceptsCompression
        self.signature = signature
    }

    /// What a request sends.
    public enum Body: Sendable {
        /// Nothing.
        case none
        /// These bytes.
        case bytes([UInt8])
        /// The contents of a regular file, read while it is sent. It must not change meanwhile.
        case file(path: String)
    }
}

/// A complete response.
public struct HTTPClientResponse: Sendable {
    /// The status.
    public let status: HTTPStatus
    /// The header fields; of a followed redirect, those of the last response.
    public let headers: HTTPHeaders
    /// The whole body.
    public let body: [UInt8]

    /// Makes a response.
    public init(status: HTTPStatus, headers: HTTPHeaders = HTTPHeaders(), body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
