import Cryptography
import Testing

@testable import Builds

@Suite("A masked log")
struct LogMaskerTests {
    @Test(
        "holds no form of a secret",
        arguments: [
            "password is hunter2-long!", "base64 " + Base64.encode(Array("hunter2-long!".utf8)),
            "basic " + Base64.encode(Array("user:hunter2-long!".utf8)),
            "basic " + Base64.encode(Array("u:hunter2-long!".utf8)),
            "basic " + Base64.encode(Array("us:hunter2-long!\n".utf8)),
            "url " + Base64.encode(Array("hunter2-long!".utf8), .url), "https://u:hunter2-long%21@host",
        ])
    func forms(text: String) {
        let masked = LogMasker(values: ["hunter2-long!"]).masked(text)

        #expect(masked.contains("***"))
        #expect(!masked.contains("hunter2"))
        #expect(!masked.contains("aHVudGVyMi1sb25n"))
        #expect(!masked.contains("VudGVyMi1sb25"))
        #expect(!masked.contains("dW50ZXIyLWxvbm"))
    }

    @Test("hides the longer of two secrets whole")
    func longestFirst() {
        let masker = LogMasker(values: ["token", "token-with-more"])

        let masked = masker.masked("a token-with-more b token c")

        #expect(masked == "a *** b *** c")
    }

    @Test("hides each line of a secret with several")
    func lines() {
        let masker = LogMasker(values: ["-----BEGIN-----\nMIIabc\nMIIdef\n"])

        #expect(masker.masked("echo MIIdef") == "echo ***")
    }

    @Test("leaves short values and other text alone, byte by byte")
    func untouched() {
        let masker = LogMasker(values: ["", "a", "abc"])
        let bytes: [UInt8] = [0, 255, 97, 98, 99, 10]

        #expect(masker.masked(bytes) == bytes)
        #expect(LogMasker(values: []).masked("abc") == "abc")
    }
}
