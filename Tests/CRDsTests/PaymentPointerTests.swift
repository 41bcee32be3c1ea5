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
        ])
    func others(text: String) {
        #expect(!FunctionPayment.isPointer(text))
    }
}
