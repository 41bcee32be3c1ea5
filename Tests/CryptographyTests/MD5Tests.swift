import Cryptography
import Testing

@Suite("MD5")
struct MD5Tests {
    @Test(
        "Digests are those of RFC 1321, appendix A.5",
        arguments: [
            ("", "d41d8cd98f00b204e9800998ecf8427e"), ("a", "0cc175b9c0f1b6a831c399e269772661"),
            ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
            (
                "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
                "57edf4a22be3c955ac49da2e2107b67a"
            ),
        ])
    func vectors(message: String, digest: String) {
        let hasher = MD5Hasher()

        for byte in message.utf8 { hasher.update([byte]) }

        #expect(Hex.encode(hasher.finalize()) == digest)
    }
}
