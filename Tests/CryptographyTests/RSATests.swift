import Cryptography
import OpenSSLTool
import Testing

@Suite("RS256")
struct RSATests {
    private let message = Array("eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiI3In0".utf8)

    @Test(
        "A signature made with a key of either form passes openssl's check",
        arguments: [("traditional", 2048), ("pkcs8", 2048), ("traditional", 3072), ("pkcs8", 4096)])
    func signatureIsAccepted(form: String, bits: Int) throws {
        try OpenSSLProgram.with { openssl in
            try openssl.makeRSAKey(bits: bits)
            let pem = try openssl.read(form == "pkcs8" ? "key.pem" : "traditional.pem")
            let marker = form == "pkcs8" ? "BEGIN PRIVATE KEY" : "BEGIN RSA PRIVATE KEY"
            #expect(String(decoding: pem, as: UTF8.self).contains(marker))

            let signature = try RSASigningKey(pem: pem).signature(of: message)

            #expect(signature.count == bits / 8)
            try openssl.write(message, "message")
            try openssl.write(signature, "signature")
            try openssl(
                "dgst", "-sha256", "-verify", openssl.path("public.pem"), "-signature", openssl.path("signature"),
                openssl.path("message"))
        }
    }

    @Test("A signature of openssl's passes our check, and nothing else does")
    func verification() throws {
        try OpenSSLProgram.with { openssl in
            try openssl.makeRSAKey()
            try openssl.write(message, "message")
            try openssl(
                "dgst", "-sha256", "-sign", openssl.path("key.pem"), "-out", openssl.path("signature"),
                openssl.path("message"))
            let signature = try openssl.read("signature")
            let key = try RSAVerifyingKey(pem: try openssl.read("public.pem"))

            var bent = signature
            bent[7] ^= 1

            #expect(key.isValid(signature, of: message))
            #expect(!key.isValid(bent, of: message))
            #expect(!key.isValid(signature, of: message + [0]))
            #expect(!key.isValid([], of: message))
            #expect(!key.isValid(signature + [0], of: message))
            #expect(!key.isValid(Array(signature.dropLast()), of: message))
        }
    }

    @Test("Equal messages have equal signatures: the padding has no chance in it")
    func deterministic() throws {
        try OpenSSLProgram.with { openssl in
            try openssl.makeRSAKey()
            let key = try RSASigningKey(pem: try openssl.read("key.pem"))

            let signatures = try (0..<2).map { _ in try key.signature(of: message) }

            #expect(signatures[0] == signatures[1])
            #expect(try key.signature(of: []) != signatures[0])
        }
    }

    @Test(
        "A text that holds no private key is refused",
        arguments: [
            "", "hello", "-----BEGIN RSA PRIVATE KEY-----\n-----END RSA PRIVATE KEY-----\n",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            "-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----\n",
            "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwgg\n",
            String(repeating: "-----BEGIN PRIVATE KEY-----\n", count: 4000),
        ])
    func unreadable(text: String) {
        #expect(throws: RSAKeyError.unreadable) { try RSASigningKey(pem: Array(text.utf8)) }
        #expect(throws: RSAKeyError.unreadable) { try RSAVerifyingKey(pem: Array(text.utf8)) }
    }

    @Test("A key that is short, of another kind, public, or behind a password is refused")
    func unfit() throws {
        try OpenSSLProgram.with { openssl in
            try openssl("genrsa", "-out", openssl.path("short.pem"), "1024")
            try openssl("genpkey", "-algorithm", "ED25519", "-out", openssl.path("other.pem"))
            try openssl.makeRSAKey()
            try openssl(
                "rsa", "-in", openssl.path("key.pem"), "-aes128", "-passout", "pass:hunter2", "-out",
                openssl.path("locked.pem"))
            func error(_ name: String) throws -> RSAKeyError? {
                let pem = try openssl.read(name)
                return #expect(throws: RSAKeyError.self) { try RSASigningKey(pem: pem) }
            }

            #expect(try error("short.pem") == .length(bits: 1024))
            #expect(try error("other.pem") == .notRSA)
            #expect(try error("public.pem") == .unreadable)
            #expect(try error("locked.pem") == .unreadable)
        }
    }

    @Test("A truncated key is refused wherever it ends")
    func truncated() throws {
        try OpenSSLProgram.with { openssl in
            try openssl.makeRSAKey()
            let pem = try openssl.read("key.pem")

            for count in stride(from: 0, to: pem.count - 30, by: 97) {
                #expect(throws: RSAKeyError.self) { try RSASigningKey(pem: Array(pem.prefix(count))) }
            }
        }
    }
}
