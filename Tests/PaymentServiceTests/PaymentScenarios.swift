import CRDs
import ControllerRuntime
import JSON
import KubernetesClient
import KubernetesTypes
import MemoryCluster
import Payments
import Testing
import Timing

@testable import PaymentService

@Suite("Payments in a cluster", .timeLimit(.minutes(10)))
struct PaymentScenarios {
    /// Where they run; ``PaymentAPIServerScenarios`` runs them on a real server too.
    var backend = Backend.memory

    @Test("A Receipt that is applied credits its function once; applied again it adds nothing and says so")
    func appliedReceipt() async throws {
        let town = try await Town(on: backend)
        try await town.makeFunction(payment: "{required: true, price: \(Town.price)}")
        try await town.connect(1)

        try await town.makeReceipt("mine", Town.receipt(1, total: 500))
        let first = try await town.eventually(Receipt.self, "mine") { $0.reason == "Credited" }
        try await town.makeReceipt("again", Town.receipt(1, total: 500))
        let second = try await town.eventually(Receipt.self, "again") { $0.reason == "NothingNew" }

        #expect(first.status?.credited == "500")
        #expect(first.status?.totalReceived == "500")
        #expect(first.status?.function == "\(town.namespace)/hello")
        #expect(first.status?.spspEndpoint == "$host.example")
        #expect(first.status?.streamID == "1")
        #expect(first.condition(.verified)?.status == .true)
        #expect(first.condition(.credited)?.status == .true)
        #expect(second.status?.credited == "0")
        #expect(second.condition(.verified)?.status == .true)
        #expect(second.condition(.credited)?.status == .false)
        #expect(try await town.ledger.stream(nonce: Town.nonce(1), stream: 1)?.credited == 500)
        try await town.end()
    }

    @Test("A newer receipt in the same object adds the difference, an older one nothing")
    func newerReceipt() async throws {
        let town = try await Town(on: backend)
        try await town.connect(1)
        try await town.makeReceipt("mine", Town.receipt(1, total: 500))
        try await town.eventually(Receipt.self, "mine") { $0.reason == "Credited" }

        try await change(town, "mine", to: Town.receipt(1, total: 800))
        let newer = try await town.eventually(Receipt.self, "mine") { $0.status?.totalReceived == "800" }
        try await change(town, "mine", to: Town.receipt(1, total: 300))
        let older = try await town.eventually(Receipt.self, "mine") { $0.reason == "NothingNew" }

        #expect(newer.status?.credited == "800")
        #expect(older.status?.credited == "800")
        #expect(older.condition(.credited)?.message.contains("nothing was added") == true)
        try await town.end()
    }

    @Test("A receipt of another stream in an object that stands for one is refused, and counts nowhere")
    func immutable() async throws {
        let town = try await Town(on: backend)
        try await town.connect(1)
        try await town.connect(2)
        try await town.makeReceipt("mine", Town.receipt(1, total: 500))
        try await town.eventually(Receipt.self, "mine") { $0.reason == "Credited" }

        try await change(town, "mine", to: Town.receipt(2, total: 900))
        let refused = try await town.eventually(Receipt.self, "mine") { $0.reason == "Immutable" }

        #expect(refused.condition(.stalled)?.status == .true)
        #expect(refused.condition(.verified)?.status == .false)
        #expect(refused.status?.credited == "500")
        #expect(try await town.ledger.stream(nonce: Town.nonce(2), stream: 1) == nil)
        try await town.end()
    }

    @Test("A receipt that is worth nothing is told so, with what to do")
    func worthless() async throws {
        let town = try await Town(on: backend)
        try await town.connect(3, until: .now - .seconds(1))
        var version = try #require(Base64Text.bytes(Town.receipt(1, total: 5)))
        version[0] = 2
        let cases = [
            ("forged", Town.receipt(1, total: 5, seed: [UInt8](repeating: 9, count: 32)), "Forged"),
            ("unknown", Town.receipt(2, total: 5), "UnknownPaymentRequest"),
            ("expired", Town.receipt(3, total: 5), "Expired"),
            ("version", Base64Text.text(version), "UnknownVersion"),
        ]

        for (name, text, _) in cases { try await town.makeReceipt(name, text) }

        for (name, _, reason) in cases {
            let receipt = try await town.eventually(Receipt.self, name) { $0.reason == reason }
            #expect(receipt.condition(.verified)?.status == .false)
            #expect(receipt.condition(.stalled)?.status == .true)
            #expect(receipt.status?.credited == "0")
            #expect(receipt.condition(.ready)?.message.isEmpty == false)
        }
        try await town.end()
    }

    @Test("While the ledger is away a Receipt waits, and is never called bad")
    func ledgerAway() async throws {
        let town = try await Town(on: backend)
        try await town.connect(1)
        town.ledger.fail(.unavailable("the disk is full"))

        try await town.makeReceipt("mine", Town.receipt(1, total: 500))
        let waiting = try await town.eventually(Receipt.self, "mine") { $0.reason == "LedgerUnavailable" }
        town.ledger.fail(nil)
        let credited = try await town.eventually(Receipt.self, "mine") { $0.reason == "Credited" }

        #expect(waiting.condition(.verified)?.status != .false)
        #expect(waiting.condition(.stalled) == nil)
        #expect(credited.status?.credited == "500")
        #expect(credited.status?.conditions.condition("Reconciling") == nil)
        try await town.end()
    }

    @Test("A credit whose status could not be written at first is told as what it was")
    func failedWrite() async throws {
        let town = try await Town(on: backend) { number, _ in
            number > 3 ? nil : .api(APIStatus(message: "try again", code: 500))
        }
        try await town.connect(1)

        try await town.makeReceipt("mine", Town.receipt(1, total: 500))
        let receipt = try await town.eventually(Receipt.self, "mine") { $0.reason != nil }

        #expect(receipt.reason == "Credited")
        #expect(receipt.status?.credited == "500")
        #expect(try await town.ledger.stream(nonce: Town.nonce(1), stream: 1)?.credited == 500)
        try await town.end()
    }

    @Test("Two payments in a row are one write; the second waits for its time")
    func pace() async throws {
        let town = try await Town(on: backend, interval: .seconds(3600))
        try await town.makeFunction(payment: "{price: \(Town.price), bonusCalls: 50}")
        try await town.look()
        try await town.eventually(Function.self, "hello") { $0.funded?.reason == "BonusCalls" }
        try await town.connect(1)
        try await town.pay(1, total: 100)

        try await town.look()
        try await town.makeFunction("canary", payment: "{price: \(Town.price)}")
        try await town.eventually(Function.self, "canary") { $0.funded != nil }
        try await town.makeReceipt("late", Town.receipt(1, total: 1))
        try await town.eventually(Receipt.self, "late") { $0.reason == "NothingNew" }

        let function = try await town.api.get(Function.self, town.key("hello"))
        #expect(function.status?.balance == "0")
        #expect(town.controllerAPI.requests.filter { $0.contains("functions") && $0.contains("hello") }.count == 1)
        try await town.end()
    }

    @Test("Money to the author is genuine and no credit")
    func paidToAuthor() async throws {
        let town = try await Town(on: backend)
        try await town.connect(1, creditsHost: false)

        try await town.makeReceipt("mine", Town.receipt(1, total: 500))
        let receipt = try await town.eventually(Receipt.self, "mine") { $0.reason == "PaidToAuthor" }

        #expect(receipt.condition(.verified)?.status == .true)
        #expect(receipt.condition(.credited)?.status == .false)
        #expect(receipt.status?.credited == "0")
        #expect(receipt.status?.spspEndpoint == "$wallet.example/alice")
        try await town.end()
    }

    @Test("A Function says what it has: bonus calls, money, and when nothing is left")
    func funding() async throws {
        let town = try await Town(on: backend)
        try await town.makeFunction(payment: "{required: true, price: \(Town.price), bonusCalls: 50}")
        let terms = try #require(PriceTerms(asset: town.asset, amount: 10, calls: 1000, bonusCalls: 50))
        try await town.look()

        let bonus = try await town.eventually(Function.self, "hello") { $0.funded?.reason == "BonusCalls" }
        try await town.connect(1)
        try await town.pay(1, total: 100)
        try await town.look()
        let paid = try await town.eventually(Function.self, "hello") { $0.funded?.reason == "Funded" }
        // A gateway takes all there is, and uses it.
        let lease = try await town.ledger.lease(
            try town.account(), terms: terms, calls: 20_000, holder: "gateway", for: .seconds(60), now: .now)
        try await town.ledger.settle(lease.id, spent: lease.calls, now: .now)
        try await town.look()
        let used = try await town.eventually(Function.self, "hello") { $0.funded?.reason == "NoCallsLeft" }

        #expect(bonus.funded?.status == .true)
        #expect(bonus.status?.balance == "0")
        #expect(bonus.status?.remainingCalls == 50)
        #expect(paid.status?.balance == "100")
        #expect(paid.status?.remainingCalls == 10_050)
        #expect(used.funded?.status == .false)
        #expect(used.status?.balance == "0")
        #expect(used.status?.remainingCalls == 0)
        try await town.end()
    }

    @Test("Calls on lease are not gone, and cost no write")
    func leased() async throws {
        let town = try await Town(on: backend)
        try await town.makeFunction(payment: "{price: \(Town.price), bonusCalls: 50}")
        let terms = try #require(PriceTerms(asset: town.asset, amount: 10, calls: 1000, bonusCalls: 50))
        try await town.eventually(Function.self, "hello") { $0.funded?.reason == "BonusCalls" }

        _ = try await town.ledger.lease(
            try town.account(), terms: terms, calls: 50, holder: "gateway", for: .seconds(60), now: .now)
        // The cache has this one only after what was written to the other, which it may be behind with.
        try await town.makeFunction("later", payment: "{price: \(Town.price)}")
        try await town.eventually(Function.self, "later") { $0.funded != nil }
        try await town.look()
        try await town.makeFunction("last", payment: "{price: \(Town.price)}")
        try await town.eventually(Function.self, "last") { $0.funded != nil }

        let function = try await town.api.get(Function.self, town.key("hello"))
        #expect(function.status?.remainingCalls == 50)
        #expect(town.controllerAPI.requests.filter { $0.contains("hello") }.count == 1)
        try await town.end()
    }

    @Test("A price in another asset is named, and terms that go take their status with them")
    func otherTerms() async throws {
        let town = try await Town(on: backend)
        try await town.makeFunction(
            payment: "{required: true, price: {amount: 10, assetCode: USD, assetScale: 2, calls: 1}}")

        let refused = try await town.eventually(Function.self, "hello") { $0.funded?.reason == "AssetNotAccepted" }
        _ = try await town.api.patch(Function.self, town.key("hello"), .merge(["spec": ["payment": .null]]))
        let free = try await town.eventually(Function.self, "hello") { $0.funded == nil && $0.spec.payment == nil }

        #expect(refused.funded?.status == .false)
        #expect(refused.funded?.message.contains("XRP/9") == true)
        #expect(refused.status?.balance == nil)
        #expect(free.status?.balance == nil)
        try await town.end()
    }

    @Test("What the operator wrote into a Function's status stays")
    func operatorsPart() async throws {
        let town = try await Town(on: backend, isStarted: false)
        try await town.makeFunction(payment: "{price: \(Town.price), bonusCalls: 50}")
        let status: JSONValue = [
            "url": "https://alice.example/hello", "replicas": 2,
            "conditions": [
                [
                    "type": "Ready", "status": "True", "reason": "Available",
                    "lastTransitionTime": "2026-01-01T00:00:00Z",
                ]
            ],
        ]
        _ = try await town.api.patch(
            Function.self, town.key("hello"), .merge(["status": status]), subresource: "status")

        town.start()
        let function = try await town.eventually(Function.self, "hello") { $0.funded != nil }

        #expect(function.status?.url == "https://alice.example/hello")
        #expect(function.status?.replicas == 2)
        #expect(function.status?.conditions.condition("Ready")?.reason == "Available")
        try await town.end()
    }

    @Test("A stream becomes a Receipt that shows it, and a process that starts anew writes nothing")
    func publishing() async throws {
        let town = try await Town(on: backend)
        try await town.connect(1)
        try await town.pay(1, total: 500)
        let name = PublishedReceipt.name(nonce: Town.nonce(1), stream: 1)

        try await town.look()
        let shown = try await town.eventually(Receipt.self, name) { $0.reason == "Credited" }
        try await town.pay(1, total: 700)
        try await town.look()
        let grown = try await town.eventually(Receipt.self, name) { $0.status?.totalReceived == "700" }
        try await town.restart()
        let before = town.controllerAPI.requests.count
        try await town.look()
        try await town.makeReceipt("canary", Town.receipt(1, total: 1))
        try await town.eventually(Receipt.self, "canary") { $0.reason == "NothingNew" }

        #expect(shown.spec.receipt == Town.receipt(1, total: 500))
        #expect(shown.status?.credited == "500")
        #expect(shown.status?.function == "\(town.namespace)/hello")
        #expect(grown.status?.credited == "700")
        #expect(grown.spec.receipt == Town.receipt(1, total: 700))
        #expect(town.controllerAPI.requests.dropFirst(before).filter { !$0.contains("canary") } == [])
        #expect(try await town.ledger.stream(nonce: Town.nonce(1), stream: 1)?.credited == 700)
        try await town.end()
    }

    @Test("A stream that an applied Receipt shows already is not shown twice")
    func shownByHand() async throws {
        let town = try await Town(on: backend)
        try await town.connect(1)
        try await town.makeReceipt("mine", Town.receipt(1, total: 500))
        try await town.eventually(Receipt.self, "mine") { $0.reason == "Credited" }
        try await town.connect(2)
        try await town.pay(2, total: 5)

        // The informer may be a moment behind.
        try await town.makeReceipt("canary", Town.receipt(1, total: 1))
        try await town.eventually(Receipt.self, "canary") { $0.reason == "NothingNew" }
        try await town.look()
        try await town.eventually(Receipt.self, PublishedReceipt.name(nonce: Town.nonce(2), stream: 1)) { _ in true }

        let names = try await town.api.list(Receipt.self, namespace: town.namespace).items.map(\.metadata.name)
        #expect(!names.contains(PublishedReceipt.name(nonce: Town.nonce(1), stream: 1)))
        try await town.end()
    }

    @Test("Of a long backlog only the newest streams are shown, and old Receipts of ours go")
    func bounds() async throws {
        var limits = ReceiptPublisher.Limits()
        limits.backlogMaximum = 3
        limits.retention.objectsMaximum = 2
        let town = try await Town(on: backend, limits: limits)
        for number in 1...5 {
            try await town.connect(UInt8(number))
            try await town.pay(UInt8(number), total: 1)
        }
        try await town.makeReceipt("mine", Town.receipt(9, total: 5))

        try await town.look()
        for number in 3...5 {
            let name = PublishedReceipt.name(nonce: Town.nonce(UInt8(number)), stream: 1)
            try await town.eventually(Receipt.self, name) { $0.reason == "Credited" }
        }
        let few = try await town.look { $0.count == 3 }
        let none = try await town.look(now: .now + .seconds(8 * 86_400)) { $0.count == 1 }

        #expect(few.count == 3)
        #expect(!few.contains(PublishedReceipt.name(nonce: Town.nonce(1), stream: 1)))
        #expect(!few.contains(PublishedReceipt.name(nonce: Town.nonce(2), stream: 1)))
        #expect(none == ["mine"])
        try await town.end()
    }

    @Test("Where nothing is paid or used, nothing is sent and no balance is asked for")
    func silence() async throws {
        let town = try await Town(on: backend)
        try await town.makeFunction(payment: "{price: \(Town.price), bonusCalls: 50}")
        try await town.makeFunction("free", payment: nil)
        try await town.look()
        try await town.eventually(Function.self, "hello") { $0.funded != nil }
        try await town.makeFunction("canary", payment: "{price: \(Town.price)}")
        try await town.eventually(Function.self, "canary") { $0.funded != nil }
        let requests = town.controllerAPI.requests.count
        let balances = town.ledger.balancesAsked

        for _ in 1...5 { try await town.look() }

        #expect(town.controllerAPI.requests.count == requests)
        // What was written just now is looked at once more; one question in each look would be five for each.
        #expect(town.ledger.balancesAsked < balances + 5)
        try await town.end()
    }

    /// Puts another receipt into an object.
    private func change(_ town: Town, _ name: String, to receipt: String) async throws {
        _ = try await town.api.patch(
            Receipt.self, town.key(name), .merge(["spec": ["receipt": .string(receipt)]]))
    }
}
