import KubernetesTypes
import OpenSSLTool
import TLS
import Telemetry
import Testing

@testable import Gateway

@Suite("Certificates of Secrets", .timeLimit(.minutes(10)))
struct SecretCertificatesTests {
    typealias Pair = (certificate: [UInt8], key: [UInt8])

    private func secret(_ name: String, _ pair: Pair?) -> Secret {
        var data: [String: Base64Bytes] = [:]
        if let pair { data = ["tls.crt": Base64Bytes(pair.certificate), "tls.key": Base64Bytes(pair.key)] }
        return Secret(
            metadata: ObjectMeta(name: name, namespace: "certificates"), type: "kubernetes.io/tls", data: data)
    }

    private func store(folder: String = "/nonexistent") -> CertificateStore {
        CertificateStore(folder: folder, registry: MetricsRegistry())
    }

    @Test("A Secret's certificate is shown for its names, also by a wildcard, until the Secret is gone")
    func lifecycle() throws {
        let pair = try OpenSSLProgram.with { try $0.certificate(for: ["DNS:shop.example.com", "DNS:*.alice.dev"]) }
        let other = try OpenSSLProgram.with { try $0.certificate(for: ["DNS:other.example"]) }
        let store = store()
        var index = CertificateIndex()
        store.update { index = $0 }

        let trouble = store.put(secret("a", pair))
        _ = store.put(secret("b", other))
        store.update { index = $0 }
        let found = ["shop.example.com", "www.alice.dev", "OTHER.example."].map { index.identity(for: $0)?.names.first }
        store.remove(ObjectKey(namespace: "certificates", name: "a"))
        var updates = 0
        for _ in 0..<2 {
            store.update {
                index = $0
                updates += 1
            }
        }

        #expect(trouble == nil)
        #expect(found == ["shop.example.com", "shop.example.com", "other.example"])
        #expect(index.identity(for: "shop.example.com")?.names == ["other.example"])
        #expect(updates == 1, "what did not change is not handed over again")
    }

    @Test("The folder's own certificate stays the one for names that nobody has")
    func folderFirst() throws {
        try OpenSSLProgram.with { openssl in
            let own = try openssl.certificate(for: ["DNS:zzz.example"])
            try openssl.write(own.certificate, "tls.crt")
            try openssl.write(own.key, "tls.key")
            let store = store(folder: openssl.path("."))
            _ = store.put(secret("a", try openssl.certificate(for: ["DNS:a.example"])))
            var index = CertificateIndex()

            store.update { index = $0 }

            #expect(index.identity(for: nil)?.names == ["zzz.example"])
            #expect(index.identity(for: "a.example")?.names == ["a.example"])
        }
    }

    @Test("A pair that cannot be used is refused once with its reason, and the one before it stays")
    func broken() throws {
        let (good, other) = try OpenSSLProgram.with {
            (try $0.certificate(for: ["DNS:a.example"]), try $0.certificate(for: ["DNS:b.example"]))
        }
        let broken: [(Pair?, String)] = [
            (nil, "it has no tls.crt"), ((good.certificate, []), "it has no tls.key"),
            ((good.certificate, other.key), "the key does not belong to the certificate"),
            ((Array("nonsense".utf8), good.key), "the certificate is no PEM with one certificate or more"),
            ((good.certificate, [UInt8](repeating: 0x41, count: 1 << 20)), "larger than"),
        ]
        for (pair, reason) in broken {
            let store = store()
            _ = store.put(secret("a", good))

            let first = store.put(secret("a", pair))
            let again = store.put(secret("a", pair))
            let fresh = store.put(secret("new", pair))
            var index = CertificateIndex()
            store.update { index = $0 }

            #expect(first?.contains(reason) == true, "\(first ?? "taken")")
            #expect(first?.hasSuffix("; the one before it stays") == true)
            #expect(again == nil)
            #expect(fresh?.hasSuffix("stays") == false)
            #expect(index.identity(for: "a.example")?.names == ["a.example"])
        }
    }

    @Test("No more certificates are held than there may be, and those that cannot be used take no place")
    func limit() throws {
        let pair = try OpenSSLProgram.with { try $0.certificate(for: ["DNS:a.example"]) }
        var certificates = SecretCertificates()
        for number in 0..<SecretCertificates.countMaximum {
            _ = certificates.put("unusable\(number)", certificate: nil, key: nil)
            _ = certificates.put("s\(number)", certificate: pair.certificate, key: pair.key)
        }

        let known = certificates.put("s0", certificate: [1], key: [1])
        let more = certificates.put("more", certificate: [1], key: [1])
        _ = certificates.remove("s1")
        let again = certificates.put("more", certificate: pair.certificate, key: pair.key)

        guard case .refused(.unusable(.certificateUnreadable), formerStays: true) = known,
            case .refused(.tooMany, formerStays: false) = more, case .taken = again
        else {
            Issue.record("\(known) \(more) \(again)")
            return
        }
    }
}
