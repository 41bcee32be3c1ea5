import CRDs
import Testing

@Suite("Terms of payment")
struct FunctionPaymentTests {
    private static let price = FunctionPrice(amount: 10, assetCode: "XRP", assetScale: 9, calls: 1000)

    @Test("A function's own terms go before its Repository's, field by field")
    func defaults() {
        let own = FunctionPayment(bonusCalls: 0, paymentPointer: "$w.example/alice")
        let defaults = FunctionPayment(
            required: true, price: Self.price, bonusCalls: 50, paymentPointer: "$w.example/shop")

        let terms = FunctionPayment(own, defaults: defaults)

        #expect(
            terms
                == FunctionPayment(
                    required: true, price: Self.price, bonusCalls: 0, paymentPointer: "$w.example/alice"))
    }

    @Test("Without any terms there are none")
    func none() {
        #expect(FunctionPayment(nil, defaults: nil) == nil)
        #expect(FunctionPayment(nil, defaults: FunctionPayment(required: false)) == FunctionPayment(required: false))
    }
}
