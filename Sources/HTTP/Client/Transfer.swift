import CCurl
import CEpoll
import Glibc

/// One request under way: libcurl's handle, what it sends and where its response goes.
///
/// Used on the thread of its loop only; libcurl's callbacks get it as their context.
final class Transfer {
    let exchange: TransferExchange
    private let idleTimeout: Duration?
    /// When the transfer ends unless its head has arrived; `nil` when that may take its time.
    private let headDeadline: ContinuousClock.Instant?
    private var hasHead = false
    private var isPaused = false
    /// When something came in last, or the reader let it go on.
    private var lastActivity = ContinuousClock.now
    private var handle: EasyHandle
    private var head: ResponseHeadCollector
    private var upload: Upload?
    private let addresses: AddressPolicy
    private let connections: ConnectionCount
    /// Why a callback ended the transfer, since libcurl only knows that one did.
    private var failure: HTTPClientError?

    /// Prepares a transfer.
    ///
    /// - Throws: When the request cannot be sent as it is.
    init(
        _ request: HTTPClientRequest, _ configuration: HTTPClientConfiguration, _ exchange: TransferExchange,
        _ connections: ConnectionCount
    ) throws(HTTPClientError) {
        guard let handle = EasyHandle() else {
            throw .other(code: Int(CURLE_OUT_OF_MEMORY.rawValue), reason: "out of memory", mayHaveArrived: false)
        }
        self.handle = handle
        self.exchange = exchange
        self.connections = connections
        idleTimeout = request.idleTimeout
        headDeadline = request.headTimeout.map { .now + $0 }
        addresses = configuration.addresses
        head = ResponseHeadCollector(followsRedirects: configuration.redirectsMaximum > 0)
        upload = try Upload(request)
        do {
            try setRequest(request)
            try setConnection(configuration, isSecure: request.url.prefix(6).lowercased() == "https:")
            try setCallbacks()
        } catch {
            throw error.error
        }
    }

    /// libcurl's handle.
    var pointer: UnsafeMutableRawPointer { handle.pointer }

    /// Whether the head, or the next byte behind it, has been waited for long enough.
    ///
    /// Never while the reader holds the sender up.
    func isOverdue(at now: ContinuousClock.Instant) -> Bool {
        if isPaused { return false }
        if hasHead { return idleTimeout.map { lastActivity + $0 <= now } ?? false }
        return headDeadline.map { $0 <= now } ?? false
    }

    /// Before when the transfer cannot be overdue; `nil` when it will not be without being resumed first.
    func earliestOverdue(at now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        if isPaused { return nil }
        if hasHead { return idleTimeout.map { lastActivity + $0 } }
        // The head may come at any moment, and the idle limit counts from then on.
        let afterHead = idleTimeout.map { now + $0 }
        guard let headDeadline else { return afterHead }
        return afterHead.map { min($0, headDeadline) } ?? headDeadline
    }

    /// Lets a paused transfer go on.
    func resume() {
        isPaused = false
        lastActivity = .now
        curl_easy_pause(handle.pointer, 0)  // CURLPAUSE_CONT: neither direction is paused.
    }

    /// Reports the end to whoever waits for the response.
    func finish(_ code: CURLcode) {
        exchange.finish(code == CURLE_OK ? nil : failure ?? error(code))
    }

    /// Ends the transfer because nothing came for too long.
    func finishAsSilent() {
        exchange.finish(.timedOut(mayHaveArrived: mayHaveArrived))
    }

    private var mayHaveArrived: Bool { handle.number(CURLINFO_REQUEST_SIZE) > 0 }

    private func error(_ code: CURLcode) -> HTTPClientError {
        let reason = handle.reason(code)
        switch code {
        case CURLE_OPERATION_TIMEDOUT:
            return .timedOut(mayHaveArrived: mayHaveArrived)
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT:
            return .connectionFailed(reason: reason)
        case CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_PARTIAL_FILE, CURLE_HTTP2,
            CURLE_HTTP2_STREAM, CURLE_SEND_FAIL_REWIND, CURLE_WEIRD_SERVER_REPLY:
            return .connectionLost(reason: reason, mayHaveArrived: mayHaveArrived)
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_CLIENTCERT:
            return .tls(reason: reason)
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL:
            return .invalidRequest(reason: reason)
        default:
            return .other(code: Int(code.rawValue), reason: reason, mayHaveArrived: mayHaveArrived)
        }
    }
}

// MARK: - What libcurl calls

extension Transfer {
    /// Takes a header line; `false` ends the transfer.
    func receiveHeader(_ line: UnsafeRawBufferPointer) -> Bool {
        lastActivity = .now
        switch head.take(line) {
        case .incomplete:
            return true
        case .complete(let head):
            hasHead = true
            exchange.receive(head)
            return true
        case .tooLarge:
            failure = .headersTooLarge(bytesMaximum: ResponseHeadCollector.bytesMaximum)
            return false
        }
    }

    /// Takes a piece of the body.
    func receiveBody(_ bytes: UnsafeRawBufferPointer) -> TransferExchange.Reception {
        lastActivity = .now
        let reception = exchange.receive(bytes)
        switch reception {
        case .taken: break
        case .paused: isPaused = true
        case .refused: failure = .bodyTooLarge(bytesMaximum: exchange.collectsBytesMaximum ?? 0)
        }
        return reception
    }

    /// Hands out the next piece of the request's body; `nil` ends the transfer.
    func fill(_ buffer: UnsafeMutableRawBufferPointer) -> Int? {
        lastActivity = .now
        guard let filled = upload?.read(into: buffer) else {
            failure = .invalidRequest(reason: "the file to send cannot be read to its end")
            return nil
        }
        return filled
    }

    /// Goes back in the request's body.
    func rewind(to offset: Int) -> Bool {
        upload?.rewind(to: offset) ?? false
    }

    /// Opens a socket to an address, unless the policy refuses it.
    func openSocket(_ address: curl_sockaddr, _ bytes: UnsafeRawBufferPointer) -> curl_socket_t {
        if !addresses.allowsEverything {
            guard let target = Self.address(family: address.family, bytes), addresses.allows(target) else {
                let name = Self.address(family: address.family, bytes)?.description ?? "of an unknown family"
                failure = .refusedAddress(name)
                return -1  // CURL_SOCKET_BAD
            }
        }
        let descriptor = socket(address.family, address.socktype | socket_close_on_exec, address.protocol)
        guard descriptor >= 0 else { return -1 }
        failure = nil  // Another address of the name was refused before; this one is tried.
        connections.increment()
        var limit = Self.unacknowledgedMillisecondsMaximum
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &limit, socklen_t(MemoryLayout<UInt32>.size))
        return descriptor
    }

    /// For how long sent bytes may stay unacknowledged before the kernel gives the connection up.
    ///
    /// Twice the 15 s client-go waits for an HTTP/2 ping, since a retransmission needs time to back off.
    private static let unacknowledgedMillisecondsMaximum: UInt32 = 30_000

    private static func address(family: Int32, _ bytes: UnsafeRawBufferPointer) -> NetworkAddress? {
        // The address stands behind family and port, in IPv6 behind the flow label as well (netinet/in.h).
        let range: Range<Int>
        switch family {
        case AF_INET: range = 4..<8
        case AF_INET6: range = 8..<24
        default: return nil
        }
        guard bytes.count >= range.upperBound else { return nil }
        return NetworkAddress(bytes: Array(bytes[range]))
    }
}

// MARK: - Options

extension Transfer {
    private func setRequest(_ request: HTTPClientRequest) throws(OptionRefused) {
        try handle.set(CURLOPT_URL, request.url)
        try handle.set(CURLOPT_PROTOCOLS_STR, "http,https")
        try handle.set(CURLOPT_DISALLOW_USERNAME_IN_URL, true)
        if let count = upload?.count {
            try handle.set(CURLOPT_UPLOAD, true)
            try handle.set(CURLOPT_INFILESIZE_LARGE, offset: count)
            // Without a body there is no rewinding to refuse, so libcurl would silently send it again.
            try handle.set(CURLOPT_FRESH_CONNECT, count == 0 && !request.method.isIdempotent)
        } else if request.method == .head {
            try handle.set(CURLOPT_NOBODY, true)
        }
        if request.method != .head { try handle.set(CURLOPT_CUSTOMREQUEST, request.method.rawValue) }
        try handle.set(CURLOPT_HTTPHEADER, list: Self.headerLines(request))
        if let timeout = request.timeout { try handle.set(CURLOPT_TIMEOUT_MS, timeout) }
        if request.acceptsCompression { try handle.set(CURLOPT_ACCEPT_ENCODING, "gzip") }
        if let signature = request.signature {
            try handle.set(CURLOPT_AWS_SIGV4, "aws:amz:\(signature.region):\(signature.service)")
            try handle.set(CURLOPT_USERNAME, signature.accessKeyID)
            try handle.set(CURLOPT_PASSWORD, signature.secretAccessKey)
        }
    }

    /// The lines libcurl wants: an empty value is marked by a semicolon, and `Expect` is not sent.
    ///
    /// Where libcurl signs, it would take the line that leaves `Expect` out for a field to sign (7.88): there it stays.
    private static func headerLines(_ request: HTTPClientRequest) -> [String] {
        let own = request.headers.fields.filter { field in
            !["content-length", "transfer-encoding", "connection"].contains(field.name.lowercased())
        }
        return own.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
            + (request.signature == nil ? ["Expect:"] : [])
    }

    private func setConnection(_ configuration: HTTPClientConfiguration, isSecure: Bool) throws(OptionRefused) {
        try handle.set(CURLOPT_NOSIGNAL, true)
        try handle.set(CURLOPT_CONNECTTIMEOUT_MS, configuration.connectTimeout)
        try handle.set(CURLOPT_TCP_KEEPALIVE, true)
        // A dead peer is noticed after 30 s + 3 × 5 s of silence, as by client-go's HTTP/2 ping (30 s + 15 s).
        try handle.set(CURLOPT_TCP_KEEPIDLE, 30)
        try handle.set(CURLOPT_TCP_KEEPINTVL, 5)
        try handle.set(
            CURLOPT_HTTP_VERSION, Int(configuration.offersHTTP2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1))
        // Waiting whether a connection turns out to be HTTP/2 is for TLS; without, a request would wait for the answer before it.
        try handle.set(CURLOPT_PIPEWAIT, configuration.offersHTTP2 && isSecure)
        if configuration.redirectsMaximum > 0 {
            try handle.set(CURLOPT_FOLLOWLOCATION, true)
            try handle.set(CURLOPT_MAXREDIRS, configuration.redirectsMaximum)
            try handle.set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https")
        }
        if let target = configuration.connectsTo {
            try handle.set(CURLOPT_CONNECT_TO, list: ["::\(target.contains(":") ? "[\(target)]" : target):"])
        }
        try setProxy(configuration)
        try setTLS(configuration.tls)
    }

    private func setProxy(_ configuration: HTTPClientConfiguration) throws(OptionRefused) {
        try handle.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, true)
        guard configuration.addresses.allowsEverything else {
            // A proxy would resolve the name and connect out of the policy's sight.
            return try handle.set(CURLOPT_PROXY, "")
        }
        switch configuration.proxy {
        case .fromEnvironment: break
        case .none: try handle.set(CURLOPT_PROXY, "")
        case .url(let url):
            // Go, whose meaning of proxy-url we follow, lets a SOCKS proxy resolve the name.
            let prefix = "socks5://"
            try handle.set(CURLOPT_PROXY, url.hasPrefix(prefix) ? "socks5h://" + url.dropFirst(prefix.count) : url)
            try handle.set(CURLOPT_NOPROXY, "")
        }
    }

    private func setTLS(_ tls: TLSIdentity) throws(OptionRefused) {
        try handle.set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        if let authorities = tls.authorities { try handle.set(CURLOPT_CAINFO_BLOB, blob: authorities) }
        if let certificate = tls.certificate, let key = tls.privateKey {
            try handle.set(CURLOPT_SSLCERTTYPE, "PEM")
            try handle.set(CURLOPT_SSLCERT_BLOB, blob: certificate)
            try handle.set(CURLOPT_SSLKEY_BLOB, blob: key)
        }
        if tls.skipsVerification {
            try handle.set(CURLOPT_SSL_VERIFYPEER, false)
            try handle.set(CURLOPT_SSL_VERIFYHOST, false)
        }
    }

    private func setCallbacks() throws(OptionRefused) {
        let context = Unmanaged.passUnretained(self).toOpaque()
        let codes = [
            farebox_curl_set_data_callback(pointer, CURLOPT_HEADERFUNCTION, headerCallback),
            farebox_curl_set_pointer(pointer, CURLOPT_HEADERDATA, context),
            farebox_curl_set_data_callback(pointer, CURLOPT_WRITEFUNCTION, bodyCallback),
            farebox_curl_set_pointer(pointer, CURLOPT_WRITEDATA, context),
            farebox_curl_set_read_callback(pointer, uploadCallback),
            farebox_curl_set_pointer(pointer, CURLOPT_READDATA, context),
            farebox_curl_set_seek_callback(pointer, seekCallback),
            farebox_curl_set_pointer(pointer, CURLOPT_SEEKDATA, context),
            farebox_curl_set_opensocket_callback(pointer, socketCallback),
            farebox_curl_set_pointer(pointer, CURLOPT_OPENSOCKETDATA, context),
        ]
        if let code = codes.first(where: { $0 != CURLE_OK }) {
            throw OptionRefused(option: CURLOPT_WRITEFUNCTION, code: code)
        }
    }
}

/// The transfer behind a callback's context.
///
/// The loop holds every transfer until its handle is removed from the multi handle, and no callback runs after that.
private func transfer(_ context: UnsafeMutableRawPointer?) -> Transfer? {
    context.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
}

private let headerCallback: curl_write_callback = { bytes, size, count, context in
    let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
    return transfer(context)?.receiveHeader(line) == true ? line.count : 0
}

private let bodyCallback: curl_write_callback = { bytes, size, count, context in
    let piece = UnsafeRawBufferPointer(start: bytes, count: size * count)
    switch transfer(context)?.receiveBody(piece) {
    case .taken: return piece.count
    case .paused: return Int(CURL_WRITEFUNC_PAUSE)
    case .refused, nil: return piece.isEmpty ? 1 : 0
    }
}

private let uploadCallback: curl_read_callback = { buffer, size, count, context in
    let space = UnsafeMutableRawBufferPointer(start: buffer, count: size * count)
    return transfer(context)?.fill(space) ?? Int(CURL_READFUNC_ABORT)
}

private let seekCallback: curl_seek_callback = { context, offset, origin in
    guard origin == SEEK_SET, transfer(context)?.rewind(to: Int(offset)) == true else {
        return CURL_SEEKFUNC_FAIL
    }
    return CURL_SEEKFUNC_OK
}

private let socketCallback: curl_opensocket_callback = { context, _, address in
    guard let address, let transfer = transfer(context) else { return -1 }
    // The address field is declared as a plain sockaddr but holds `addrlen` bytes, up to a sockaddr_storage.
    let start = UnsafeRawPointer(address).advanced(by: MemoryLayout<curl_sockaddr>.offset(of: \.addr) ?? 0)
    let bytes = UnsafeRawBufferPointer(start: start, count: Int(address.pointee.addrlen))
    return transfer.openSocket(address.pointee, bytes)
}
