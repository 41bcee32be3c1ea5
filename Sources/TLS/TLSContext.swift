import CTLS
import Glibc
import Synchronization

/// What all TLS connections of a server share: its certificates, its ticket keys, what it offers.
///
/// Certificates are replaced while it serves: a handshake shows what was there when it began, and connections that are
/// open stay. TLS 1.2 and 1.3; no early data, which could be played again.
///
/// SAFETY: the pointer is set once and OpenSSL only reads the context while connections are made from it; what changes
/// is behind the two locks.
public final class TLSContext: @unchecked Sendable {
    /// Whether HTTP/2 is offered to clients beside HTTP/1.1.
    public let offersHTTP2: Bool
    let pointer: OpaquePointer
    private let certificates: Mutex<CertificateIndex>
    private let ticketKeys = Mutex(TicketKeys())
    private let willShow: @Sendable (TLSContext) -> Void

    /// Makes a context.
    ///
    /// - Parameters:
    ///   - certificates: What is shown until `replace`; an empty index refuses every handshake.
    ///   - offersHTTP2: Whether HTTP/2 is offered.
    ///   - willShow: Called in each full handshake, before a certificate is chosen, on the connection's thread: it may
    ///     `replace` the certificates, and must not take long.
    /// - Throws: ``TLSError/unavailable``.
    public init(
        certificates: CertificateIndex = CertificateIndex(), offersHTTP2: Bool = false,
        willShow: @escaping @Sendable (TLSContext) -> Void = { _ in }
    ) throws(TLSError) {
        self.certificates = Mutex(certificates)
        self.offersHTTP2 = offersHTTP2
        self.willShow = willShow
        pointer = try ContextSettings.make()
        tls_set_server_name_callback(pointer) { session, alert, _ in
            TLSContext.showCertificate(to: session, alert)
        }
        SSL_CTX_set_tlsext_ticket_key_evp_cb(pointer) { session, name, vector, cipher, authenticator, isNew in
            guard let context = TLSContext.of(session), let name, let vector else { return -1 }
            return isNew == 1
                ? context.sealTicket(name, vector, cipher, authenticator)
                : context.openTicket(name, vector, cipher, authenticator)
        }
    }

    deinit {
        SSL_CTX_free(pointer)
    }

    /// Shows these certificates from the next handshake on.
    public func replace(_ index: CertificateIndex) {
        certificates.withLock { $0 = index }
    }

    /// The context that a connection was made from.
    static func of(_ session: OpaquePointer?) -> TLSContext? {
        guard let session, let data = SSL_get_ex_data(session, 0) else { return nil }
        return Unmanaged<TLSContext>.fromOpaque(data).takeUnretainedValue()
    }

    // MARK: What OpenSSL asks

    private static func showCertificate(to session: OpaquePointer?, _ alert: UnsafeMutablePointer<Int32>?) -> Int32 {
        guard let session, let context = of(session) else { return SSL_TLSEXT_ERR_ALERT_FATAL }
        context.willShow(context)
        let name = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name).map { String(cString: $0) }
        guard let identity = context.certificates.withLock({ $0 }).identity(for: name),
            SSL_set_SSL_CTX(session, identity.context) != nil
        else {
            alert?.pointee = SSL_AD_INTERNAL_ERROR
            return SSL_TLSEXT_ERR_ALERT_FATAL
        }
        return SSL_TLSEXT_ERR_OK
    }

    /// Chooses the key of a new ticket: 1 when it is ready, 0 for no ticket, −1 for an error.
    private func sealTicket(
        _ name: UnsafeMutablePointer<UInt8>, _ vector: UnsafeMutablePointer<UInt8>, _ cipher: OpaquePointer?,
        _ authenticator: OpaquePointer?
    ) -> Int32 {
        let now = Self.now()
        guard let key = ticketKeys.withLock({ $0.current(at: now, random: Self.random) }),
            let fresh = Self.random(Int(EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())))
        else { return 0 }
        name.update(from: key.name, count: key.name.count)
        vector.update(from: fresh, count: fresh.count)
        guard EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nil, key.cipher, fresh) == 1,
            Self.set(key.authenticator, for: authenticator)
        else { return -1 }
        return 1
    }

    /// Finds the key of a client's ticket: 0 for none, 1, or 2 when a new ticket is to be given.
    private func openTicket(
        _ name: UnsafeMutablePointer<UInt8>, _ vector: UnsafeMutablePointer<UInt8>, _ cipher: OpaquePointer?,
        _ authenticator: OpaquePointer?
    ) -> Int32 {
        let now = Self.now()
        let wanted = UnsafeBufferPointer(start: UnsafePointer(name), count: TicketKeys.Key.nameBytes)
        guard let (key, isOld) = ticketKeys.withLock({ $0.key(named: wanted, at: now) }) else { return 0 }
        guard Self.set(key.authenticator, for: authenticator),
            EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nil, key.cipher, vector) == 1
        else { return -1 }
        return isOld ? 2 : 1
    }

    private static func set(_ secret: [UInt8], for authenticator: OpaquePointer?) -> Bool {
        var secret = secret
        return tls_key_authenticator(authenticator, &secret, secret.count) == 1
    }

    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec)
    }

    private static func random(_ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        return RAND_priv_bytes(&bytes, Int32(count)) == 1 ? bytes : nil
    }
}
