import Cryptography
import JSON
import Testing

@testable import Payments

@Suite("STREAM receipts")
struct StreamReceiptTests {
    @Test("Every published and computed receipt is read, proven and issued again")
    func readsVectors() throws {
        let vectors = try #require(try Vectors.load("receipts.json")["valid"]?.arrayValue)
        #expect(vectors.count == 61)

        for vector in vectors {
            let name = vector["name"]?.stringValue ?? "?"
            let bytes = try #require(vector.bytes("receipt_b64"), "\(name)")
            let nonce = try #require(vector.bytes("nonce_b64"), "\(name)")
            let secret = try #require(vector.bytes("secret_b64"), "\(name)")

            let receipt = try StreamReceipt(bytes)

            #expect(receipt.nonce == nonce, "\(name)")
            #expect(Int64(receipt.stream) == vector["stream_id"]?.integerValue, "\(name)")
            #expect(String(receipt.total) == vector["total_received"]?.stringValue, "\(name)")
            #expect(receipt.isAuthentic(secret: secret), "\(name)")
            #expect(receipt.bytes == bytes, "\(name)")
            let issued = StreamReceipt(nonce: nonce, stream: receipt.stream, total: receipt.total, secret: secret)
            #expect(issued == receipt, "\(name)")
            if let seed = vector.bytes("seed_b64") {
                #expect(ReceiptKey(seed: seed).secret(nonce: nonce) == secret, "\(name)")
            }
        }
    }

    @Test("Only 58 bytes can be a receipt", arguments: Array(0...57) + Array(59...130))
    func refusesOtherLengths(count: Int) {
        #expect(throws: ReceiptError.malformed) { try StreamReceipt([UInt8](repeating: 1, count: count)) }
    }

    @Test("Only version 1 can be a receipt", arguments: [0, 2, 127, 128, 255] as [UInt8])
    func refusesOtherVersions(version: UInt8) {
        #expect(throws: ReceiptError.unknownVersion) {
            try StreamReceipt([version] + [UInt8](repeating: 0, count: 57))
        }
    }

    @Test("A receipt in which any one bit is changed proves nothing")
    func refusesEveryFlippedBit() {
        let secret = randomBytes(32)
        let bytes = StreamReceipt(nonce: randomBytes(16), stream: 3, total: .max, secret: secret).bytes

        for bit in 0..<(bytes.count * 8) {
            var changed = bytes
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            let isAuthentic = (try? StreamReceipt(changed))?.isAuthentic(secret: secret) ?? false
            #expect(!isAuthentic, "bit \(bit)")
        }
    }

    @Test("Base64 is read as leniently as the first verifier reads it")
    func decodesLeniently() throws {
        let vectors = try #require(try Vectors.load("receipts.json")["lenient_decoding"]?.arrayValue)
        #expect(vectors.count == 2)

        for vector in vectors {
            let body = try #require(vector["body"]?.stringValue)
            #expect(LenientBase64.decode(body.utf8) == vector.bytes("decodes_to_b64"))
        }
    }

    @Test(
        "Both alphabets, missing padding and strange characters are read",
        arguments: [
            ("+/+/", [0xFB, 0xFF, 0xBF]), ("-_-_", [0xFB, 0xFF, 0xBF]), ("+_-/", [0xFB, 0xFF, 0xBF]), ("QQ", [0x41]),
            ("QQ==", [0x41]), ("Q Q\n=\0=", [0x41]), ("QUI", [0x41, 0x42]), ("Q", []), ("", []), ("====", []),
            ("\u{e4}QQ", [0x41]),
        ] as [(String, [UInt8])])
    func decodes(text: String, bytes: [UInt8]) {
        #expect(LenientBase64.decode(text.utf8) == bytes)
    }
}
