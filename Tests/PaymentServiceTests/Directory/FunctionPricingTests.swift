import CRDs
import KubernetesTypes
import Payments
import Testing

@testable import PaymentService

@Suite("Prices of Functions")
struct FunctionPricingTests {
    @Test(
        "What validation takes, payments count with",
        arguments: [
            FunctionPrice(amount: 1, assetCode: "ABC", assetScale: 0, calls: 1),
            FunctionPrice(
                amount: 9_007_199_254_740_991, assetCode: "A23456789012", assetScale: 18, calls: 1_000_000_000),
        ])
    func bounds(price: FunctionPrice) throws {
        var spec = FunctionSpec(image: "image")
        spec.payment = FunctionPayment(required: true, price: price, bonusCalls: 1_000_000_000)
        let asset = try #require(Asset(code: price.assetCode, scale: UInt8(price.assetScale)))

        let violations = Function(metadata: ObjectMeta(name: "f"), spec: spec).validate()
        let pricing = FunctionPricing(spec.payment, asset: asset)

        #expect(violations.isEmpty)
        guard case .terms = pricing else {
            Issue.record("\(pricing)")
            return
        }
    }

    @Test(
        "A pointer that validation takes is one that payments ask",
        arguments: [
            ("$wallet.example/alice", false), ("$Wallet.Example", false), ("https://wallet.example/%7Ea/", false),
            ("$10.1.2.3:8443/alice", true), ("$127.1", false), ("$a.0x7f", false), ("$x.example/..", false),
            ("$x.example/%2", false), ("$x.example:1", false), ("$\u{212A}.example", false), ("", false), ("$", true),
        ])
    func pointers(text: String, allowsPorts: Bool) {
        let isTaken = FunctionPayment.isPointer(text, allowsPorts: allowsPorts)

        let isAsked = (try? PaymentPointer(text, rules: .init(allowsPorts: allowsPorts))) != nil

        #expect(!isTaken || isAsked)
    }
}
