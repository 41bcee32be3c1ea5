import Cryptography
import Testing

@Suite("SHA-256")
struct SHA256Tests {
    @Test(
        "Known messages have their known digests",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
            (
                String(repeating: "a", count: 1_000_000),
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
            ),
        ])
    func vectors(message: String, digest: String) {
        #expect(SHA256.hash(of: message).hex == digest)
    }

    @Test("Pieces of any size give the digest of the whole")
    func pieces() {
        let message = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }

        for size in [1, 7, 63, 64, 65, 1000] {
            let hasher = SHA256Hasher()
            for start in stride(from: 0, to: message.count, by: size) {
                hasher.update(Array(message[start..<min(start + size, message.count)]))
            }
            #expect(hasher.finalize() == SHA256.hash(of: message))
        }
    }

    @Test("A hasher can go on after a digest was taken")
    func goingOn() {
        let hasher = SHA256Hasher()
        hasher.update(Array("ab".utf8).span)

        let early = hasher.finalize()
        hasher.update(Array("c".utf8))

        #expect(early == SHA256.hash(of: "ab"))
        #expect(hasher.finalize() == SHA256.hash(of: "abc"))
    }

    @Test("A digest is read back from its own forms only")
    func forms() {
        let digest = SHA256.hash(of: "abc")

        #expect(SHA256Digest(hex: digest.hex) == digest)
        #expect(SHA256Digest(prefixed: "\(digest)") == digest)
        #expect(SHA256Digest(bytes: digest.bytes) == digest)
        #expect(SHA256Digest(bytes: Array(digest.bytes.dropLast())) == nil)
        #expect(SHA256Digest(hex: digest.hex.uppercased()) == nil)
        #expect(SHA256Digest(hex: digest.hex + "00") == nil)
        #expect(SHA256Digest(hex: "") == nil)
        #expect(SHA256Digest(prefixed: digest.hex) == nil)
        #expect(SHA256Digest(prefixed: "sha512:" + digest.hex) == nil)
    }
}
