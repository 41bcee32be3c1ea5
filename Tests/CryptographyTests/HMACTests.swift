import Cryptography
import Testing

@Suite("HMAC and comparison")
struct HMACTests {
    @Test(
        "Webhook signatures are what Git hosts send",
        arguments: [
            (
                "key-goes-here", "Store this string", "805c32cea5b377c5ec65489027a345f58c872136",
                "e5be64930d119f5f805ff9b7d435197d2a3b54118c51d38365af6c3cb48ce24f"
            ),
            (
                "key-", "Store this string", "2be86ec09e3dfa63910c5e1d36292bd7353f912a",
                "ccb1ba3266eb28fb903b973e33d9c46af33bd2ee863dd0bd6b23e662fc1574a7"
            ),
            (
                "It's a Secret to Everybody", "Hello, World!", "01dc10d0c83e72ed246219cdd91669667fe2ca59",
                "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
            ),
            (
                "s3cr3t", "{}", "f717d461cefc70d136e3e49fbcb90ce682c31fb8",
                "608b0c406f3dda19702d71a048483b8c331283106d80a208e3cf43dbde505286"
            ),
            (
                "s3cr3t", "", "319e5f42b6b9dc5daa3b1d411df1a3f7c891f358",
                "3c81cc9496e1c25250f6ccb85f697c1bb623e3480d6538ad8cb6a6648142777d"
            ),
            // An empty key is RFC 2104's all-zero block.
            (
                "", "", "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d",
                "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"
            ),
        ])
    func signatures(key: String, message: String, sha1: String, sha256: String) {
        let key = Array(key.utf8)
        let message = Array(message.utf8)

        #expect(Hex.encode(HMAC.sha1(key: key, message: message)) == sha1)
        #expect(Hex.encode(HMAC.sha256(key: key, message: message)) == sha256)
    }

    @Test("A key longer than a block is hashed first (RFC 4231, case 6)")
    func longKey() {
        let key = [UInt8](repeating: 0xAA, count: 131)
        let message = Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8)

        let code = HMAC.sha256(key: key, message: message)

        #expect(Hex.encode(code) == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
    }

    @Test("Constant-time comparison says what equality says")
    func comparison() {
        #expect(constantTimeEquals([], []))
        #expect(constantTimeEquals([1, 2, 3], [1, 2, 3]))
        #expect(!constantTimeEquals([1, 2, 3], [1, 2, 4]))
        #expect(!constantTimeEquals([1, 2, 3], [1, 2]))
        #expect(!constantTimeEquals([], [0]))
    }

    @Test("Random bytes have the wanted count and do not repeat", arguments: [0, 1, 7, 8, 9, 32, 1000])
    func random(count: Int) {
        let bytes = randomBytes(count)

        #expect(bytes.count == count)
        #expect(count < 8 || bytes != randomBytes(count))
        #expect(count < 1000 || Set(bytes).count > 200)
    }

    @Test("A message in pieces has the code of the whole", arguments: [0, 1, 63, 64, 65, 200])
    func pieces(keyBytes: Int) {
        let key = (0..<keyBytes).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let message = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let hasher = HMACHasher(key: key)

        for start in stride(from: 0, to: message.count, by: 99) {
            hasher.update(Array(message[start..<min(start + 99, message.count)]))
        }

        #expect(hasher.finalize() == HMAC.sha256(key: key, message: message))
        #expect(hasher.finalize() == HMAC.sha256(key: key, message: message))
    }

    @Test("The Function Builder API's vector")
    func builderVector() {
        let hasher = HMACHasher(key: Array("secret".utf8))

        hasher.update(Array("hello".utf8))

        #expect(Hex.encode(hasher.finalize()) == "88aab3ede8d3adf94d26ab90d3bafd4a2083070c3bcce9c014ee04a443847c0b")
    }
}
