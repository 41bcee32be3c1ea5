import CTLS
import Glibc

/// One certificate with its chain and its private key, ready to be shown to clients.
///
/// It has no description and no way out for the key: the key stays inside.
///
/// SAFETY: the pointer is set once; OpenSSL counts references to it atomically and only reads it after the initialiser.
public final class CertificateIdentity: @unchecked Sendable {
    /// Chains of a handful of certificates have some 10 kB.
    public static let pemBytesMaximum = 256 << 10
    /// Certificates of a chain beside the first.
    static let chainMaximum = 16
    /// Names taken from one certificate; authorities issue for 100.
    static let namesMaximum = 1000

    /// The DNS names that the certificate is for, in lower case; a wildcard as `*.example.com`.
    ///
    /// Only those of the subject's alternative names: clients have ignored its common name for years.
    public let names: [String]
    /// When it ends, in seconds since 1970.
    public let expiresAt: Int64
    let context: OpaquePointer

    /// Reads a chain, the server's certificate first, and its key, both in PEM.
    ///
    /// - Throws: ``TLSError``.
    public init(certificatePEM: [UInt8], keyPEM: [UInt8]) throws(TLSError) {
        guard certificatePEM.count <= Self.pemBytesMaximum, keyPEM.count <= Self.pemBytesMaximum else {
            throw .tooLarge
        }
        let context = try ContextSettings.make()
        do throws(TLSError) {
            (names, expiresAt) = try Self.useChain(certificatePEM, in: context)
            try Self.useKey(keyPEM, in: context)
        } catch {
            SSL_CTX_free(context)
            ERR_clear_error()
            throw error
        }
        self.context = context
    }

    deinit {
        SSL_CTX_free(context)
    }

    private static func useChain(
        _ pem: [UInt8], in context: OpaquePointer
    ) throws(TLSError) -> (names: [String], expiresAt: Int64) {
        guard let input = memory(pem) else { throw .certificateUnreadable }
        defer { BIO_free(input) }
        guard let leaf = PEM_read_bio_X509(input, nil, { _, _, _, _ in -1 }, nil) else {
            throw .certificateUnreadable
        }
        defer { X509_free(leaf) }
        guard SSL_CTX_use_certificate(context, leaf) == 1 else { throw .certificateRefused }
        var count = 0
        // The end of the text is an error of OpenSSL's like any other; what is no certificate ends the chain there.
        while count < chainMaximum, let next = PEM_read_bio_X509(input, nil, { _, _, _, _ in -1 }, nil) {
            defer { X509_free(next) }
            guard tls_add_chain_certificate(context, next) == 1 else { throw .certificateRefused }
            count += 1
        }
        ERR_clear_error()
        return (dnsNames(of: leaf), try end(of: leaf))
    }

    private static func useKey(_ pem: [UInt8], in context: OpaquePointer) throws(TLSError) {
        guard let input = memory(pem) else { throw .keyUnreadable }
        defer { BIO_free(input) }
        // Without an answer of ours OpenSSL would ask for a password on the terminal.
        guard let key = PEM_read_bio_PrivateKey(input, nil, { _, _, _, _ in -1 }, nil) else { throw .keyUnreadable }
        defer { EVP_PKEY_free(key) }
        guard SSL_CTX_use_PrivateKey(context, key) == 1, SSL_CTX_check_private_key(context) == 1 else {
            throw .keyMismatch
        }
    }

    private static func memory(_ pem: [UInt8]) -> OpaquePointer? {
        guard !pem.isEmpty, let input = BIO_new(BIO_s_mem()) else { return nil }
        let written = pem.withUnsafeBytes { BIO_write(input, $0.baseAddress, Int32($0.count)) }
        guard written == pem.count else {
            BIO_free(input)
            return nil
        }
        return input
    }

    private static func dnsNames(of certificate: OpaquePointer) -> [String] {
        guard let found = X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else { return [] }
        let list = OpaquePointer(found)
        defer { tls_free_names(list) }
        var names: [String] = []
        for index in 0..<min(tls_name_count(list), Int32(namesMaximum)) {
            guard let name = tls_dns_name(list, index), let bytes = ASN1_STRING_get0_data(name) else { continue }
            let text = UnsafeBufferPointer(start: bytes, count: Int(ASN1_STRING_length(name)))
            names.append(String(decoding: text, as: UTF8.self).lowercased())
        }
        return names
    }

    private static func end(of certificate: OpaquePointer) throws(TLSError) -> Int64 {
        var parts = tm()
        guard ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) == 1 else { throw .certificateUnreadable }
        return Int64(timegm(&parts))
    }
}
