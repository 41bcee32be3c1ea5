import CRDs
import Testing

@Suite("A payment pointer")
struct PaymentPointerTests {
    @Test(
        "is a host with a path, or the https URL it stands for",
        arguments: [
            "$example.com", "$example.com/invoices/12345", "$bob.example.com", "$example.com/bob", "$example.com/",
            "$example.com/bob/", "https://wallet.example/.well-known/pay", "$Wallet.Example.com/Bob", "$localhost",
            "$example.com/%7Ebob",
        ])
    func pointers(text: String) {
        #expect(FunctionPayment.isPointer(text))
    }

    @Test(
        "is nothing else",
        arguments: [
            "$example.com:8443/x", "$user@example.com/x", "$example.com/x?a=b", "$example.com/x#f", "$",
            "$ex\u{e4}mple.com",
            "example.com/x", "", "$$example.com", "http://example.com", "$169.254.169.254/latest", "$127.1", "$[::1]/",
            "$example..com", "$-a.com", "$example.com\\x", "$example.com/a b", "$example.com/\n", "$ example.com",
            "$" + String(repeating: "a", count: 600), "https://", "https://example.com@evil.example/",
            "$0x7f.1", "$a.0x7f", "$example.123", "$example.com/%7", "$example.com/%zz", "$example.com/../x",
            "$example.com/./x", "$example.com/x/..", "$\u{212A}.example", "$example.com.", "$example.com:443",
        ])
    func others(text: String) {
        #expect(!FunctionPayment.isPointer(text))
    }

    @Test(
        "may have a port and a numeric host where the cluster allows that",
        arguments: [
            ("$example.com:8443/x", true), ("$10.99.0.1:41234/alice", true), ("$10.99.0.1/alice", true),
            ("$example.com:0/x", false), ("$example.com:65536/x", false), ("$example.com:/x", false),
            ("$example.com:+1/x", false), ("$user@example.com:1/x", false), ("$example.com:1:2/x", false),
        ])
    func ports(text: String, isPointer: Bool) {
        #expect(FunctionPayment.isPointer(text, allowsPorts: true) == isPointer)
    }
}
