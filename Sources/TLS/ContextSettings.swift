import CTLS

/// How every context is set up, whichever certificate it has.
enum ContextSettings {
    /// Forward secrecy and authenticated encryption only; what TLS 1.3 has is all of that kind.
    static let ciphers =
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
        + "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
    /// 112 bits: RSA of 2048, signatures with SHA-256 or longer.
    static let securityLevel: Int32 = 2
    /// How long a client may resume a session.
    static let sessionSeconds = 2 * 60 * 60

    /// Makes a context for servers.
    ///
    /// A connection that is given another certificate's context asks that one for ciphers and ALPN too, so all of them are
    /// set up alike.
    static func make() throws(TLSError) -> OpaquePointer {
        guard let context = SSL_CTX_new(TLS_server_method()) else {
            ERR_clear_error()
            throw .unavailable
        }
        SSL_CTX_set_options(context, tls_options)
        SSL_CTX_set_security_level(context, securityLevel)
        SSL_CTX_set_timeout(context, sessionSeconds)
        let name: [UInt8] = Array("farebox".utf8)
        guard tls_prepare(context) == 1, SSL_CTX_set_cipher_list(context, ciphers) == 1,
            SSL_CTX_set_session_id_context(context, name, UInt32(name.count)) == 1
        else {
            SSL_CTX_free(context)
            ERR_clear_error()
            throw .unavailable
        }
        SSL_CTX_set_alpn_select_cb(context, chooseProtocol, nil)
        return context
    }
}

/// Chooses among the protocols that a client offers (RFC 7301), or ends the handshake when none is spoken here.
private func chooseProtocol(
    _ session: OpaquePointer?, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ chosenCount: UnsafeMutablePointer<UInt8>?, _ offered: UnsafePointer<UInt8>?, _ offeredCount: UInt32,
    _ argument: UnsafeMutableRawPointer?
) -> Int32 {
    guard let offered, let chosen, let chosenCount, let context = TLSContext.of(session) else {
        return SSL_TLSEXT_ERR_ALERT_FATAL
    }
    let list = UnsafeBufferPointer(start: offered, count: Int(offeredCount))
    guard let found = ProtocolChoice.choose(in: list, offersHTTP2: context.offersHTTP2) else {
        return SSL_TLSEXT_ERR_ALERT_FATAL
    }
    // The answer lies in the client's own list, which OpenSSL keeps for as long.
    chosen.pointee = offered + found.lowerBound
    chosenCount.pointee = UInt8(found.count)
    return SSL_TLSEXT_ERR_OK
}

/// The choice among the protocols a client offers by ALPN.
enum ProtocolChoice {
    private static let http2: [UInt8] = Array("h2".utf8)
    private static let http1: [UInt8] = Array("http/1.1".utf8)

    /// Returns where in `list` the best protocol's name lies: HTTP/2 where it is spoken, else HTTP/1.1.
    ///
    /// - Parameter list: Names, each after a byte with its length. A list whose lengths do not add up is cut there.
    static func choose(in list: UnsafeBufferPointer<UInt8>, offersHTTP2: Bool) -> Range<Int>? {
        var fallback: Range<Int>?
        var position = 0
        while position < list.count {
            let start = position + 1
            let end = start + Int(list[position])
            guard end <= list.count else { break }
            if offersHTTP2, list[start..<end].elementsEqual(http2) {
                return start..<end
            }
            if list[start..<end].elementsEqual(http1) {
                fallback = start..<end
            }
            position = end
        }
        return fallback
    }
}
