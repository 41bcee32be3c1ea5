import CRDs
import KubernetesTypes
import Payments
import Testing
import Timing

@testable import PaymentService

@Suite("Receipts that show streams")
struct PublishedReceiptTests {
    @Test("have a name of their own for each stream, which Kubernetes takes")
    func names() {
        let names = [
            PublishedReceipt.name(nonce: [UInt8](repeating: 0, count: 16), stream: 0),
            PublishedReceipt.name(nonce: [UInt8](repeating: 255, count: 16), stream: 255),
            PublishedReceipt.name(nonce: [UInt8](repeating: 255, count: 16), stream: 25),
        ]

        #expect(Set(names).count == 3)
        #expect(names.allSatisfy { DNSName.isLabel($0) })
    }

    @Test("are ours by label and name; a stranger's object is handed in like any other")
    func strangers() throws {
        let text = Town.receipt(1, total: 5)
        var receipt = Receipt(metadata: ObjectMeta(name: "stream", namespace: "n"), spec: ReceiptSpec(receipt: text))
        receipt.metadata.labels[FareboxLabel.managedBy] = FareboxLabel.managedByFarebox
        let proof = try #require(PublishedReceipt.proof(in: receipt))

        #expect(ReceiptTask(receipt) == .submit(proof))
        receipt.metadata.name = PublishedReceipt.name(nonce: proof.nonce, stream: proof.stream)
        #expect(ReceiptTask(receipt) == .show(proof))
        receipt.metadata.labels = [:]
        #expect(ReceiptTask(receipt) == .submit(proof))
    }

    @Test("Bytes that are no receipt are refused before anybody is asked", arguments: ["", "AAAA", "%%%%"])
    func malformed(text: String) {
        let receipt = Receipt(metadata: ObjectMeta(name: "r", namespace: "n"), spec: ReceiptSpec(receipt: text))

        guard case .refuse(.refused(let reason, let message)) = ReceiptTask(receipt) else {
            Issue.record("not refused")
            return
        }

        #expect(reason == .malformed)
        #expect(!message.isEmpty)
    }
}

@Suite("How long Receipts are kept")
struct ReceiptRetentionTests {
    private static let now = Timestamp(secondsSinceEpoch: 1_800_000_000)

    private func receipt(_ name: String, age: Int64, isOurs: Bool = true) -> Receipt {
        var metadata = ObjectMeta(name: name, namespace: "n")
        if isOurs {
            metadata.labels[FareboxLabel.managedBy] = FareboxLabel.managedByFarebox
            metadata.annotations = [
                FareboxAnnotation.ledgerCursor: "1",
                FareboxAnnotation.changedAt: (Self.now - .seconds(age)).rfc3339(.seconds),
            ]
        }
        return Receipt(metadata: metadata, spec: ReceiptSpec(receipt: ""))
    }

    @Test("Ours go when they are old or too many, oldest first; others never")
    func overdue() {
        let retention = ReceiptRetention(objectsMaximum: 2, age: .seconds(100))
        let receipts = [
            receipt("new", age: 1), receipt("middle", age: 50), receipt("surplus", age: 60),
            receipt("old", age: 101), receipt("theirs", age: 1000, isOurs: false),
        ]

        let overdue = retention.overdue(among: receipts, now: Self.now)

        #expect(overdue.map(\.metadata.name) == ["old", "surplus"])
    }
}

@Suite("The pace of writes")
struct StatusPaceTests {
    @Test("A second write waits for what is left of the interval, and other objects do not")
    func pace() {
        let pace = StatusPace(interval: .seconds(10))
        let key = ObjectKey(namespace: "n", name: "a")
        let start = ContinuousClock.now
        pace.note(key, now: start)

        #expect(pace.wait(key, now: start + .seconds(4)) == .seconds(6))
        #expect(pace.wait(key, now: start + .seconds(10)) == nil)
        #expect(pace.wait(ObjectKey(namespace: "n", name: "b"), now: start) == nil)
        pace.forget(key)
        #expect(pace.wait(key, now: start) == nil)
    }
}

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
