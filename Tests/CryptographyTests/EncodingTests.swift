import Cryptography
import Testing

@Suite("Hexadecimal and Base64")
struct EncodingTests {
    @Test("Hexadecimal digits are written small and read in both cases")
    func hex() {
        #expect(Hex.encode([0x00, 0x0F, 0xA5, 0xFF]) == "000fa5ff")
        #expect(Hex.decode("000fA5fF") == [0x00, 0x0F, 0xA5, 0xFF])
        #expect(Hex.decode("") == [])
    }

    @Test("What is not pairs of digits is refused", arguments: ["0", "000", "0g", "0x00", " 00", "00 ", "é0", "\0\0"])
    func badHex(text: String) {
        #expect(Hex.decode(text) == nil)
    }

    @Test(
        "The vectors of RFC 4648 hold in both directions",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ])
    func base64(plain: String, encoded: String) {
        let unpadded = encoded.filter { $0 != "=" }

        #expect(Base64.encode(Array(plain.utf8)) == encoded)
        #expect(Base64.decode(encoded) == Array(plain.utf8))
        #expect(Base64.encode(Array(plain.utf8), .url) == unpadded)
        #expect(Base64.decode(unpadded, .url) == Array(plain.utf8))
    }

    @Test("The alphabets differ in two characters and are not mixed")
    func alphabets() {
        let bytes: [UInt8] = [0xFB, 0xEF, 0xFF]

        #expect(Base64.encode(bytes) == "++//")
        #expect(Base64.encode(bytes, .url) == "--__")
        #expect(Base64.decode("--__") == nil)
        #expect(Base64.decode("++//", .url) == nil)
    }

    @Test(
        "A second spelling of the same bytes is refused",
        arguments: [
            "Zg", "Zg=", "Zg===", "Zg====", "=", "==", "====", "Zh==", "Zm9=", "Zm8", "Z", "Zm9vY", "Zm 9v", "Zm9v\n",
            "Zm=v",
            "Zg==Zg==", "Zm9v====", "Zm9vé===",
        ])
    func badBase64(text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test("A URL text with padding or loose bits is refused", arguments: ["Zg==", "Zm8=", "Zh", "Zm9", "Z", "Zm9vY"])
    func badURL(text: String) {
        #expect(Base64.decode(text, .url) == nil)
    }

    @Test("Any bytes survive a round trip")
    func roundTrip() {
        for count in 0..<200 {
            let bytes = randomBytes(count)
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
            #expect(Base64.decode(Base64.encode(bytes, .url), .url) == bytes)
            #expect(Hex.decode(Hex.encode(bytes)) == bytes)
        }
    }
}
