import OpenSSLTool
import TLS
import Testing

@Suite("Certificate identity")
struct CertificateIdentityTests {
    @Test("Names and end are read from the certificate, and a chain comes along")
    func reading() throws {
        let (identity, chained) = try OpenSSLProgram.with { openssl in
            let (certificate, key) = try openssl.certificate(for: ["DNS:B.example.com", "IP:127.0.0.1", "DNS:*.c.org"])
            return (
                try CertificateIdentity(certificatePEM: certificate, keyPEM: key),
                try CertificateIdentity(certificatePEM: certificate + certificate, keyPEM: key)
            )
        }

        #expect(identity.names == ["b.example.com", "*.c.org"])
        #expect(chained.names == identity.names)
        #expect(identity.expiresAt > 1_700_000_000)
    }

    @Test("Of two certificates for a name the one that ends later is shown")
    func renewal() throws {
        let (old, new) = try OpenSSLProgram.with { openssl in
            let (oldCertificate, oldKey) = try openssl.certificate(for: ["DNS:a.org"], days: 2)
            let (newCertificate, newKey) = try openssl.certificate(for: ["DNS:a.org"], days: 9)
            return (
                try CertificateIdentity(certificatePEM: oldCertificate, keyPEM: oldKey),
                try CertificateIdentity(certificatePEM: newCertificate, keyPEM: newKey)
            )
        }

        #expect(CertificateIndex([old, new]).identity(for: "a.org") === new)
        #expect(CertificateIndex([new, old]).identity(for: "a.org.") === new)
        #expect(CertificateIndex([old, new]).identity(for: nil) === old)
        #expect(CertificateIndex().identity(for: "a.org") == nil)
    }

    @Test("What is no certificate with its key is refused by name")
    func refusals() throws {
        func failure(_ certificate: [UInt8], _ key: [UInt8]) -> TLSError? {
            do throws(TLSError) {
                _ = try CertificateIdentity(certificatePEM: certificate, keyPEM: key)
                return nil
            } catch {
                return error
            }
        }
        let (good, other, weak, sealed) = try OpenSSLProgram.with { openssl in
            let good = try openssl.certificate(for: ["DNS:a.org"])
            let other = try openssl.certificate(for: ["DNS:a.org"])
            let weak = try openssl.certificate(for: ["DNS:a.org"], keyArguments: ["-newkey", "rsa:1024"])
            try openssl.write(good.key, "plain.key")
            try openssl(
                "pkcs8", "-topk8", "-in", openssl.path("plain.key"), "-passout", "pass:word", "-out",
                openssl.path("sealed.key"))
            return (good, other, weak, try openssl.read("sealed.key"))
        }

        #expect(failure([], good.key) == .certificateUnreadable)
        #expect(failure(Array("nonsense".utf8), good.key) == .certificateUnreadable)
        #expect(failure(Array(good.certificate.dropLast(40)), good.key) == .certificateUnreadable)
        #expect(failure(good.certificate, []) == .keyUnreadable)
        #expect(failure(good.certificate, good.certificate) == .keyUnreadable)
        #expect(failure(good.certificate, sealed) == .keyUnreadable)
        #expect(failure(good.certificate, other.key) == .keyMismatch)
        #expect(failure(weak.certificate, weak.key) == .certificateRefused)
        #expect(
            failure([UInt8](repeating: 0x20, count: CertificateIdentity.pemBytesMaximum + 1), good.key) == .tooLarge)
        #expect(failure(good.certificate, good.key) == nil)
    }
}
