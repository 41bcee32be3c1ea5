import HTTP
import Testing

@testable import Payments

@Suite("What SPSP queries ask for")
struct PayeeNameTests {
    @Test(
        "A path names the host, a function by owner and name, or a joined name",
        arguments: [
            ("/.well-known/pay", .host), ("/alice/fn", .function(owner: "alice", name: "fn")),
            ("/Alice/fn", .function(owner: "Alice", name: "fn")), ("/alice-fn", .joined("alice-fn")),
            ("/a%6Cice/fn", .function(owner: "alice", name: "fn")), ("/alice%2Dfn", .joined("alice-fn")),
            ("/verify", .joined("verify")), ("/.well-known/x", .function(owner: ".well-known", name: "x")),
        ] as [(String, PayeeName)])
    func reads(path: String, name: PayeeName) {
        #expect(PayeeName(path: path) == name)
    }

    @Test(
        "A path that can name nobody is refused: above all, one that is itself an address",
        arguments: [
            "", "/", "//", "*", "alice/fn", "/alice/", "/alice//fn", "/alice/fn/", "/a/b/c", "/%24wallet.com",
            "/https%3A%2F%2Fwallet.com%2F.well-known%2Fpay", "/alice%2Ffn", "/alice/..", "/%2e%2e/x", "/./x", "/a%00b",
            "/a%0Ab", "/a%", "/a%2", "/a%zz", "/a%C3%A4", "/a+b", "/a b", "/a\u{e4}", "/%2524x", "/a?b", "/a;b", "/a:b",
            "/" + String(repeating: "a", count: 254), "/" + String(repeating: "%61", count: 100_000),
        ])
    func refuses(path: String) {
        #expect(PayeeName(path: path) == nil)
    }

    @Test("Fields that a side names as those of its connection go no further")
    func dropsConnectionFields() {
        let headers = HTTPHeaders([
            ("Connection", "X-Hop, close"), ("x-hop", "dropped"), ("Keep-Alive", "timeout=5"), ("X-Kept", "kept"),
            ("Transfer-Encoding", "chunked"), ("Content-Length", "5"), ("Access-Control-Max-Age", "5"),
        ])

        let response = WalletHeaders.response(headers)
        let request = WalletHeaders.request(headers, nonce: "n", secret: "s")

        #expect(response.fields.map(\.name) == ["X-Kept", "Content-Type", "X-Content-Type-Options"])
        #expect(
            request.fields.map(\.name) == [
                "X-Kept", "Access-Control-Max-Age", "Accept", "Receipt-Nonce", "Receipt-Secret",
            ])
    }

    @Test(
        "Accept admits SPSP by its closest range",
        arguments: [
            ([], true), (["application/spsp4+json"], true), (["APPLICATION/SPSP4+JSON"], true), (["*/*"], true),
            (["application/*"], true), (["text/html", "application/spsp4+json;q=0.1"], true),
            (["text/html, application/spsp4+json, application/spsp+json"], true), ([""], true),
            (["text/html"], false), (["application/json"], false), (["application/spsp4+json;q=0"], false),
            (["*/*, application/spsp4+json; q=0.000"], false), (["*/*;q=0"], false),
            (["application/*;q=0, */*"], false),
            (["*/*;q=0, application/spsp4+json"], true), (["garbage"], false), ([",,;"], false), (["/"], false),
            (["*/spsp4+json"], true),
        ] as [([String], Bool)])
    func accepts(values: [String], isAdmitted: Bool) {
        #expect(AcceptField(values).admits("application", "spsp4+json") == isAdmitted)
    }
}
