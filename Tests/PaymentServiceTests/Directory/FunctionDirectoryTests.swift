import CRDs
import ControllerRuntime
import KubernetesClient
import KubernetesTypes
import MemoryCluster
import Payments
import Testing
import Timing

@testable import PaymentService

@Suite("The directory of a cluster's functions", .timeLimit(.minutes(10)))
struct FunctionDirectoryTests {
    private static let price = FunctionPrice(amount: 10, assetCode: "XRP", assetScale: 9, calls: 1000)

    /// A function, and who it says it is.
    private struct Entry {
        var namespace = "functions"
        var name: String
        var owner: String?
        var function: String?
        var price: FunctionPrice? = FunctionDirectoryTests.price
        var created: Int64 = 1_800_000_000
    }

    /// Runs `body` with a directory of these functions.
    private func withDirectory(
        _ entries: [Entry], _ body: (FunctionDirectory) async throws -> Void
    ) async throws {
        let api = MemoryAPI()
        for entry in entries {
            var metadata = ObjectMeta(name: entry.name, namespace: entry.namespace)
            metadata.creationTimestamp = Time(Timestamp(secondsSinceEpoch: entry.created))
            metadata.annotations[FareboxAnnotation.owner] = entry.owner
            metadata.annotations[FareboxAnnotation.function] = entry.function
            var spec = FunctionSpec(image: "image")
            spec.environment = ["SIZE": "large"]
            spec.payment = FunctionPayment(price: entry.price, bonusCalls: 50, paymentPointer: "$w.example/alice")
            _ = try await api.create(Function(metadata: metadata, spec: spec))
        }
        let informers = SharedInformers(api: api)
        let directory = FunctionDirectory(
            informers: informers, namespace: nil, asset: try #require(Asset(code: "XRP", scale: 9)))
        informers.start()
        try await informers.waitForSync()
        try await body(directory)
        await informers.stop()
    }

    @Test("finds a function by its account and by owner and name, without regard to the owner's case")
    func names() async throws {
        try await withDirectory([Entry(name: "alice-hello", owner: "Alice", function: "hello")]) { directory in
            let account = try #require(PaymentAccount(namespace: "functions", function: "alice-hello"))

            let byAccount = try await directory.function(of: account)
            let byName = try await directory.function(named: .function(owner: "aLICE", name: "hello"))
            let joined = try await directory.function(named: .joined("Alice-hello"))

            #expect(byAccount.account == account)
            #expect(byAccount.terms.bonusCalls == 50)
            #expect(byAccount.authorPointer == "$w.example/alice")
            #expect(byName == byAccount)
            #expect(joined == byAccount)
            #expect(directory.isReady)
        }
    }

    @Test("gives a name that two objects claim to the older one, whether it takes money or not")
    func precedence() async throws {
        let entries = [
            Entry(name: "b", owner: "alice", function: "hello", created: 1_800_000_100),
            Entry(namespace: "other", name: "a", owner: "Alice", function: "hello", created: 1_800_000_000),
        ]
        try await withDirectory(entries) { directory in
            let found = try await directory.function(named: .function(owner: "alice", name: "hello"))

            #expect(found.account.name == "other/a")
        }
        var free = entries
        free[1].price = nil
        try await withDirectory(free) { directory in
            await #expect(throws: PaymentDirectoryError.unknown) {
                _ = try await directory.function(named: .function(owner: "alice", name: "hello"))
            }
        }
    }

    @Test("does not guess at a joined name that can be read in two ways")
    func ambiguity() async throws {
        let entries = [
            Entry(name: "alex-ellis-fn", owner: "alex", function: "ellis-fn"),
            Entry(namespace: "other", name: "alex-ellis-fn", owner: "alex-ellis", function: "fn"),
            Entry(name: "by-hand", owner: "bob", function: "hello"),
            Entry(namespace: "other", name: "bob-hello"),
        ]
        try await withDirectory(entries) { directory in
            for name in ["alex-ellis-fn", "bob-hello"] {
                await #expect(throws: PaymentDirectoryError.ambiguous) {
                    _ = try await directory.function(named: .joined(name))
                }
            }
            let owned = try await directory.function(named: .function(owner: "alex-ellis", name: "fn"))
            #expect(owned.account.name == "other/alex-ellis-fn")
        }
    }

    @Test("knows no function without a price it can count with")
    func unpayable() async throws {
        let prices: [FunctionPrice?] = [
            nil, FunctionPrice(amount: 10, assetCode: "USD", assetScale: 9, calls: 1),
            FunctionPrice(amount: 10, assetCode: "XRP", assetScale: 2, calls: 1),
            FunctionPrice(amount: -1, assetCode: "XRP", assetScale: 9, calls: 1),
            FunctionPrice(amount: 1, assetCode: "XRP", assetScale: 300, calls: 1),
            FunctionPrice(amount: 1, assetCode: "XRP", assetScale: 9, calls: 0),
        ]
        let entries = prices.enumerated().map { Entry(name: "f\($0.offset)", price: $0.element) }
        try await withDirectory(entries) { directory in
            for entry in entries {
                await #expect(throws: PaymentDirectoryError.unknown) {
                    _ = try await directory.function(named: .joined(entry.name))
                }
            }
        }
    }

    @Test("says that it does not know yet, before it does")
    func unready() async throws {
        let informers = SharedInformers(api: MemoryAPI())
        let directory = FunctionDirectory(
            informers: informers, namespace: nil, asset: try #require(Asset(code: "XRP", scale: 9)))

        let error = await #expect(throws: PaymentDirectoryError.self) {
            _ = try await directory.function(named: .function(owner: "alice", name: "hello"))
        }

        #expect(!directory.isReady)
        #expect(error != .unknown)
    }
}
