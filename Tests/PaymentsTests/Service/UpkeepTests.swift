import Cryptography
import HTTP
import JSON
import Telemetry
import Testing
import Timing

@testable import Payments

@Suite("Payments over time", .timeLimit(.minutes(10)))
struct UpkeepTests {
    @Test("A seed that is put before the others makes new secrets, and receipts of the old one are still taken")
    func rotatesSeeds() async throws {
        try await TestService.with { service in
            let nonce = randomBytes(16)
            try await service.cache(nonce: nonce, endpoint: "e")
            let seed = randomBytes(16)
            let lines = [seed, service.seed].map { "  \(Base64.encode($0))\r\n" }
            try TestService.write("# newest first\n\n" + lines.joined(), to: service.folder + "/seeds")

            await service.service.upkeep()
            _ = try await service.send(.get, "/.well-known/pay")

            let asked = try #require(service.hostWallet.requests.last)
            let newNonce = try #require(asked.headers["Receipt-Nonce"].flatMap { Base64.decode($0) })
            let newSecret = ReceiptKey(seed: seed).secret(nonce: newNonce)
            #expect(asked.headers["Receipt-Secret"] == Base64.encode(newSecret))
            let new = StreamReceipt(nonce: newNonce, stream: 1, total: 3, secret: newSecret)
            let newAnswer = try await service.verify(Base64.encode(new.bytes))
            let oldAnswer = try await service.verify(service.receipt(nonce: nonce, total: 4))
            #expect(newAnswer.status == .ok)
            #expect(oldAnswer.status == .ok)
        }
    }

    @Test("Files that became unreadable or empty change nothing", arguments: ["", "x", "AAAA\n", "# only a remark"])
    func keepsWhatCounts(text: String) async throws {
        try await TestService.with { service in
            let nonce = randomBytes(16)
            try await service.cache(nonce: nonce, endpoint: "e")
            try TestService.write(text, to: service.folder + "/seeds")
            try TestService.write(text, to: service.folder + "/token")

            await service.service.upkeep()

            let answer = try await service.verify(service.receipt(nonce: nonce, total: 4))
            let inside = try await service.sendInside(.get, "/v1/nothing")
            #expect(answer.status == .ok)
            #expect(inside.status == .notFound)
        }
    }

    @Test("A token that was replaced opens nothing any more")
    func replacesTokens() async throws {
        try await TestService.with { service in
            try TestService.write("a wholly new token\n", to: service.folder + "/token")

            await service.service.upkeep()

            let old = try await service.sendInside(.get, "/v1/nothing")
            let new = try await service.sendInside(.get, "/v1/nothing", token: "a wholly new token")
            #expect(old.status == .unauthorized)
            #expect(new.status == .notFound)
        }
    }

    @Test("A lease that nobody settles counts as used once it has expired")
    func endsLeases() async throws {
        try await TestService.with { setting in
            try setting.addFunction()
            setting.usesSQLite = true
        } _: { service in
            let wish: JSONValue = [
                "account": "functions/alice-fn", "calls": 30, "holder": "gateway-1", "seconds": 20,
            ]
            _ = try await service.sendInside(.post, "/v1/leases/exchange", body: wish)
            service.clock.advance(by: .seconds(19))
            await service.service.upkeep()
            let before = try await service.sendInside(.get, "/v1/balances/functions/alice-fn").json()
            service.clock.advance(by: .seconds(2))
            await service.service.upkeep()
            let after = try await service.sendInside(.get, "/v1/balances/functions/alice-fn").json()

            #expect(before["leasedCalls"] == 30)
            #expect(before["callsSold"] == 0)
            #expect(after["leasedCalls"] == 0)
            #expect(after["callsSold"] == 30)
        }
    }

    @Test("Payments do not start without whom to pay, in what, or with a pointer or a file that is none")
    func refusesToStart() throws {
        let good: (inout PaymentsConfiguration) throws -> Void = { configuration in
            configuration.hostPointer = "$host.example"
            configuration.asset = try TestService.asset()
        }
        let changes: [(inout PaymentsConfiguration) -> Void] = [
            { $0.hostPointer = nil }, { $0.asset = nil }, { $0.hostPointer = "$127.0.0.1" },
            { $0.connectionLifetime = "1s" }, { $0.queriesMaximum = 0 }, { $0.queriesPerSecondMaximum = 0 },
            { $0.tokenPath = "/dev/null" },
            { $0.tokenPath = "/nowhere" }, { $0.wallets.certificatesPath = "/nowhere" }, { $0.wallets.timeout = "" },
        ]
        for change in changes {
            var configuration = PaymentsConfiguration()
            try good(&configuration)
            change(&configuration)
            #expect(throws: PaymentsError.self) {
                try PaymentsService(
                    configuration: configuration, ledger: MemoryLedger(), directory: FixedDirectory([]),
                    registry: MetricsRegistry())
            }
        }
    }

    @Test("A section of the configuration is read with its defaults, and a key that is wrong is told")
    func readsConfiguration() throws {
        let section: JSONValue = [
            "hostPointer": "$host.example/pay", "asset": ["code": "XRP", "scale": 9],
            "wallets": ["timeout": "5s", "allowedCIDRs": ["10.1.2.3/32"]], "ledger": ["sqlite": "/tmp/ledger.db"],
        ]

        let configuration = try JSONReader().decode(PaymentsConfiguration.self, from: section)

        #expect(configuration.validate().isEmpty)
        #expect(configuration.connectionLifetime == "300s")
        #expect(configuration.wallets.timeout == "5s")
        #expect(!configuration.wallets.allowsPorts)
        #expect(configuration.ledger.sqlite == "/tmp/ledger.db")
        #expect(throws: JSONError.self) {
            try JSONReader().decode(
                PaymentsConfiguration.self, from: ["asset": ["code": "xrp", "scale": 9]] as JSONValue)
        }
    }
}
