import Payments
import Testing

@Suite("Assets and accounts")
struct AssetTests {
    @Test("A code is 3 to 12 capital letters and digits, a scale at most 18")
    func takesCodes() {
        #expect(Asset(code: "USD", scale: 9)?.description == "USD/9")
        #expect(Asset(code: "XRPL2026ABCD", scale: 18) != nil)
    }

    @Test(
        "Anything else is no asset",
        arguments: [
            ("US", 2), ("usd", 2), ("USD", 19), ("", 0), ("1USD", 2), ("US D", 2), ("ABCDEFGHIJKLM", 2), ("ÜSD", 2),
            ("=CMD", 2), ("USD\n", 2),
        ] as [(String, UInt8)])
    func refusesCodes(code: String, scale: UInt8) {
        #expect(Asset(code: code, scale: scale) == nil)
    }

    @Test("An account is a namespace and a name, kept apart")
    func namesAccounts() {
        let account = PaymentAccount(namespace: "farebox-functions", function: "alice-hello")

        #expect(account?.name == "farebox-functions/alice-hello")
        #expect(PaymentAccount(name: "farebox-functions/alice-hello") == account)
    }

    @Test(
        "What is no name of two objects is no account",
        arguments: [
            "", "/", "a/", "/b", "a/b/c", "a", "A/b", "a.b/c", "a/-b", "a/b-", "a/b c", "a/b\n", "=a/b", "a//b",
        ])
    func refusesAccounts(name: String) {
        #expect(PaymentAccount(name: name) == nil)
    }

    @Test("A price of nothing is no price", arguments: [(0, 1), (1, 0)] as [(UInt64, UInt64)])
    func refusesPrices(amount: UInt64, calls: UInt64) throws {
        let asset = try #require(Asset(code: "USD", scale: 9))

        let terms = PriceTerms(asset: asset, amount: amount, calls: calls, bonusCalls: 0)

        #expect(terms == nil)
    }
}
