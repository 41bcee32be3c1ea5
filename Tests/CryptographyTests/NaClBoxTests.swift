import Cryptography
import Testing

@Suite("NaCl's boxes")
struct NaClBoxTests {
    private static let receiver = (0..<32).map { UInt8($0) }
    private static let sender = (100..<132).map { UInt8($0) }
    private static let nonce = (50..<74).map { UInt8($0) }
    private static let receiverKey = "8f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1ad1ba6f3e2138285f"
    private static let senderKey = "7d9c24316539825c1896e57f28197746793ce60cbee3ad47da9d07b85fa55e2a"
    private static let long = (0..<131).map { UInt8(truncatingIfNeeded: $0 * 7) }

    /// Made with libsodium's `crypto_box_easy`.
    private static let vectors: [([UInt8], String)] = [
        ([], "ac03599bf3281ba948d4dc715864f714"),
        (Array("hello".utf8), "5ccb8446b1d1ea70bc378e9677105f7662625e70ee"),
        (
            long,
            "5c58269970bda7d23d24b847296665e90a003c099d0ec31dbe85d0b2c6202be54aece7b5b58805e5f4ad4d0635a9f8e9442af84621"
                + "9290d30f0a18e4436d8b26eff382ae6204a043e0ac7b0aeaed08151a0f01f4be7b4c06ad3a8c6c92614432c2809e9df083abfe"
                + "42db9ff1ce32cf19aca5b9ead73e5d113fbefc4c36cc4a66b698c872d1775c8e3e520b7ddbf8af02f97d41"
        ),
    ]

    @Test("are those of libsodium", arguments: vectors.indices)
    func known(index: Int) throws {
        let (content, hex) = Self.vectors[index]
        let box = try #require(Hex.decode(hex))
        let (receiverKey, senderKey) = (Hex.decode(Self.receiverKey) ?? [], Hex.decode(Self.senderKey) ?? [])

        let sealed = NaClBox.seal(content, nonce: Self.nonce, to: receiverKey, privateKey: Self.sender)
        let opened = NaClBox.open(box, nonce: Self.nonce, from: senderKey, privateKey: Self.receiver)

        #expect(NaClBox.publicKey(of: Self.receiver) == receiverKey)
        #expect(NaClBox.publicKey(of: Self.sender) == senderKey)
        #expect(sealed == box)
        #expect(opened == content)
    }

    @Test("that were changed anywhere, or are for somebody else, do not open")
    func damage() throws {
        let (receiverKey, senderKey) = (Hex.decode(Self.receiverKey) ?? [], Hex.decode(Self.senderKey) ?? [])
        let box = try #require(
            NaClBox.seal(Array("secret".utf8), nonce: Self.nonce, to: receiverKey, privateKey: Self.sender))

        for index in box.indices {
            var changed = box
            changed[index] ^= 1
            #expect(NaClBox.open(changed, nonce: Self.nonce, from: senderKey, privateKey: Self.receiver) == nil)
        }
        #expect(NaClBox.open(box, nonce: Self.nonce, from: receiverKey, privateKey: Self.receiver) == nil)
        #expect(NaClBox.open(box, nonce: Self.nonce, from: senderKey, privateKey: Self.sender) == nil)
        #expect(
            NaClBox.open(Array(box.prefix(15)), nonce: Self.nonce, from: senderKey, privateKey: Self.receiver) == nil)
        #expect(NaClBox.open(box, nonce: [], from: senderKey, privateKey: Self.receiver) == nil)
        #expect(NaClBox.open(box, nonce: Self.nonce, from: [1], privateKey: Self.receiver) == nil)
        // A public key of small order leads to zero, whoever uses it.
        let zero = [UInt8](repeating: 0, count: 32)
        #expect(NaClBox.open(box, nonce: Self.nonce, from: zero, privateKey: Self.receiver) == nil)
        #expect(NaClBox.publicKey(of: [1, 2]) == nil)
    }
}
