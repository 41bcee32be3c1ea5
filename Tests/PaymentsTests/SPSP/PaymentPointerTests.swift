import JSON
import Testing

@testable import Payments

@Suite("Payment pointers")
struct PaymentPointerTests {
    @Test("Pointers resolve as the specification says, and what it leaves no room for is refused")
    func followsVectors() throws {
        let vectors = try #require(try Vectors.load("payment_pointers.json")["cases"]?.arrayValue)
        #expect(vectors.count == 14)

        for vector in vectors {
            let input = try #require(vector["input"]?.stringValue)
            if let url = vector["expect"]?.stringValue {
                #expect(try PaymentPointer(input).url == url)
            } else {
                #expect(vector["expect_spec"] == "invalid")
                #expect(throws: PaymentPointerError.self, "\(input)") { try PaymentPointer(input) }
            }
        }
    }

    @Test(
        "What could be read in two ways, or leads to an address, is no pointer",
        arguments: [
            "", "$", "$/", "$/x", "$.", "$a..b", "$-a.example", "$a-.example", "$a_b.example", "$example.com.",
            "$127.0.0.1", "$[::1]", "$[::1]/x", "$169.254.169.254/latest", "$10.0.0.1", "$0x7f.1", "$127.1",
            "$2130706433", "$example.0x7f", "$example.1", "$example.com\\x", "$exam ple.com", "$example.com/\u{0}",
            "$example.com/a b", "$example.com/%", "$example.com/%4", "$example.com/%zz", "$example.com/../x",
            "$example.com/./x", "$example.com/..", "$a:b@example.com", "$@example.com", "http://example.com/",
            "https://", "https:///x", "https://user@example.com/", "https://example.com:443/", "https://example.com/?a",
            "https://example.com/#a", "HTTPS://example.com/", "ftp://example.com/", "file:///etc/passwd",
            "$$example.com",
            "\n$example.com", "$example.com\n", "$example.com\r\nHost: inside", "$ex\u{e4}mple.com",
            "$" + String(repeating: "a", count: 64) + ".example", "$example.com/" + String(repeating: "a", count: 512),
            "$" + Array(repeating: "a", count: 128).joined(separator: "."),
        ])
    func refuses(text: String) {
        #expect(throws: PaymentPointerError.self) { try PaymentPointer(text) }
    }

    @Test(
        "Everything that the specification allows is taken",
        arguments: [
            ("$a.b/~x/-._!$&'()*+,;=:@", "https://a.b/~x/-._!$&'()*+,;=:@"), ("$a.b//", "https://a.b//"),
            ("$a.b/%41%2f", "https://a.b/%41%2f"), ("$Wallet.Example", "https://Wallet.Example/.well-known/pay"),
            ("$xn--exmple-cua.com/x", "https://xn--exmple-cua.com/x"), ("https://a.b", "https://a.b/"),
            ("$localhost/x", "https://localhost/x"), ("$a.b/@x", "https://a.b/@x"),
        ])
    func takes(text: String, url: String) throws {
        let pointer = try PaymentPointer(text)

        #expect(pointer.url == url)
        #expect(pointer.text == text)
    }

    @Test(
        "For trials, ports, addresses and http are let in, and nothing else",
        arguments: [
            ("$localhost:8443/x", "https://localhost:8443/x"), ("$127.0.0.1:1", "https://127.0.0.1:1/.well-known/pay"),
            ("http://127.0.0.1:80/x", "http://127.0.0.1:80/x"), ("$[::1]:9/x", "https://[::1]:9/x"),
            ("$0x7f.1/x", "https://0x7f.1/x"), ("$a.b:0/x", nil), ("$a.b:65536", nil), ("$a.b:", nil), ("$a.b:+1", nil),
            ("$[::1", nil), ("$[1.2.3.4]", nil), ("$[::1]x", nil), ("$u@localhost:1", nil), ("http://a.b/?x", nil),
            ("$a.b:1:2", nil), ("gopher://a.b/", nil),
        ] as [(String, String?)])
    func trialRules(text: String, url: String?) {
        let rules = PaymentPointer.Rules(allowsPorts: true, allowsPlainHTTP: true)

        #expect((try? PaymentPointer(text, rules: rules))?.url == url)
    }

    @Test("A redirect leads to a wallet's address or a path of the same host")
    func followsRedirects() throws {
        let base = "https://a.b/x?y"

        #expect(try WalletRedirect.target("/z?q=1", from: base, rules: .strict) == "https://a.b/z?q=1")
        #expect(try WalletRedirect.target("https://c.d/e", from: base, rules: .strict) == "https://c.d/e")
        for location in [
            "http://a.b/", "//c.d/", "", "x", "?y", "https://127.0.0.1/", "https://c.d:22/", "https://u@c.d/",
            "/x#y", "/x?y#z", "/x?\n", "/../x", "https://c.d/" + String(repeating: "a", count: 2048), "javascript:x",
        ] {
            #expect(throws: PaymentPointerError.self, "\(location)") {
                try WalletRedirect.target(location, from: base, rules: .strict)
            }
        }
    }
}
