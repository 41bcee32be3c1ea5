import HTTP
import Testing

@testable import Payments

@Suite("The page of a function", .timeLimit(.minutes(10)))
struct FunctionPageTests {
    @Test(
        "It tells price, balance and payment pointer, and asks browsers with a wallet to pay",
        arguments: [
            ("/pay/alice/fn", "/alice/fn"), ("/pay/-/alice-fn", "/alice-fn"),
        ])
    func shows(path: String, query: String) async throws {
        try await TestService.with { setting in
            try setting.addFunction()
            setting.configuration.publicURL = "https://pay.example.xyz"
        } _: { service in
            let answer = try await service.send(.get, path)

            let text = String(decoding: answer.body, as: UTF8.self)
            #expect(answer.status == .ok)
            #expect(answer.headers["Content-Type"] == "text/html; charset=utf-8")
            #expect(answer.headers["Content-Security-Policy"]?.hasPrefix("default-src 'none'") == true)
            #expect(text.contains("<link rel=\"monetization\" href=\"https://pay.example.xyz\(query)\">"))
            #expect(text.contains("1000 calls cost <b>0.00000001 XRP</b>"))
            #expect(text.contains("50 calls can be made now"))
            #expect(text.contains("<code>$pay.example.xyz\(query)</code>"))
            #expect(service.hostWallet.requests.isEmpty)
        }
    }

    @Test(
        "What names no function that takes money is a page that says so",
        arguments: [
            "/pay/alice/other", "/pay/-/other", "/pay//", "/pay/%3Cscript%3E/x", "/pay/.well-known/pay", "/pay/-/-",
        ])
    func unknown(path: String) async throws {
        try await TestService.with { setting in
            try setting.addFunction()
        } _: { service in
            let answer = try await service.send(.get, path)

            #expect(answer.status == .notFound)
            #expect(!String(decoding: answer.body, as: UTF8.self).contains("script"))
        }
    }

    @Test(
        "Amounts are told in the asset itself",
        arguments: [
            (10, 9, "0.00000001 XRP"), (0, 2, "0 XRP"), (1, 0, "1 XRP"), (250, 2, "2.5 XRP"), (100, 2, "1 XRP"),
            (UInt64.max, 18, "18.446744073709551615 XRP"),
        ] as [(UInt64, UInt8, String)])
    func amounts(amount: UInt64, scale: UInt8, text: String) throws {
        let asset = try #require(Asset(code: "XRP", scale: scale))

        #expect(asset.text(amount) == text)
    }
}
