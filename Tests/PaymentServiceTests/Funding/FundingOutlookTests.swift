import CRDs
import KubernetesTypes
import Payments
import Testing
import Timing

@testable import PaymentService

@Suite("What a Function's status says of its account")
struct FundingOutlookTests {
    private static let now = Time(Timestamp(secondsSinceEpoch: 1_800_000_000))

    private func function(isRequired: Bool = true) -> Function {
        var spec = FunctionSpec(image: "image")
        spec.payment = FunctionPayment(required: isRequired)
        return Function(metadata: ObjectMeta(name: "f", namespace: "n"), spec: spec)
    }

    private func account(balance: UInt64, remaining: UInt64, leased: UInt64 = 0) throws -> FundingOutlook {
        let asset = try #require(Asset(code: "XRP", scale: 9))
        return .known(
            AccountBalance(
                balance: balance, asset: asset, remainingCalls: remaining, leasedCalls: leased, callsSold: 0))
    }

    @Test(
        "follows from what is left, calls on lease included",
        arguments: [
            (0, 50, 0, "BonusCalls", 50), (0, 0, 50, "BonusCalls", 50), (7, 700, 3, "Funded", 703),
            (7, 0, 0, "NoCallsLeft", 0), (0, 0, 0, "NoCallsLeft", 0),
            (.max, .max, .max, "Funded", 9_007_199_254_740_991),
        ] as [(UInt64, UInt64, UInt64, String, Int64)])
    func reasons(balance: UInt64, remaining: UInt64, leased: UInt64, reason: String, calls: Int64) throws {
        let outlook = try account(balance: balance, remaining: remaining, leased: leased)

        let status = outlook.status(of: function(), now: Self.now)

        #expect(status.balance == String(balance))
        #expect(status.remainingCalls == calls)
        #expect(status.conditions.condition("Funded")?.reason == reason)
        #expect(status.conditions.condition("Funded")?.status == (calls > 0 ? .true : .false))
    }

    @Test("is the same when nothing changed, and keeps the conditions of others")
    func stable() throws {
        var function = function()
        var status = FunctionStatus()
        status.url = "https://alice.example/f"
        status.conditions = [
            Condition(type: "Ready", status: .true, reason: "Available", lastTransitionTime: Self.now)
        ]
        function.status = status
        let outlook = try account(balance: 7, remaining: 700)

        let first = outlook.status(of: function, now: Self.now)
        function.status = first
        let second = outlook.status(of: function, now: Time(Timestamp(secondsSinceEpoch: 1_900_000_000)))

        #expect(second == first)
        #expect(first.url == "https://alice.example/f")
        #expect(first.conditions.condition("Ready")?.reason == "Available")
    }

    @Test("tells callers of a function that demands payment something else than those of one that does not")
    func messages() throws {
        let outlook = try account(balance: 0, remaining: 0)

        let demanding = outlook.status(of: function(), now: Self.now)
        let lenient = outlook.status(of: function(isRequired: false), now: Self.now)

        #expect(demanding.conditions.condition("Funded")?.message.contains("402") == true)
        #expect(lenient.conditions.condition("Funded")?.message.contains("402") == false)
    }
}
