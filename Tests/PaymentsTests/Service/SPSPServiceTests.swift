import Cryptography
import HTTP
import JSON
import RawSockets
import Synchronization
import Testing

@testable import Payments

@Suite("SPSP queries over HTTP", .timeLimit(.minutes(10)))
struct SPSPServiceTests {
    @Test("A query gets the wallet's answer, and receipts for its nonce are worth their money")
    func passesThrough() async throws {
        try await TestService.with { setting in
            try setting.addFunction()
        } _: { service in
            let answer = try await service.send(
                .get, "/alice/fn",
                [("Accept", "application/spsp4+json"), ("Origin", "https://page.example"), ("Cookie", "secret=1")])

            #expect(answer.status == .ok)
            #expect(try answer.json()["destination_account"] == "g.wallet.1")
            #expect(answer.headers["Content-Type"] == "application/spsp4+json")
            #expect(answer.headers["Access-Control-Allow-Origin"] == "https://page.example")
            #expect(!answer.headers.contains("Receipt-Secret"))
            let asked = try #require(service.hostWallet.requests.first)
            #expect(asked.path == "/host")
            #expect(asked.headers["Accept"] == "application/spsp4+json")
            #expect(!asked.headers.contains("Cookie"))
            let nonce = try #require(asked.headers["Receipt-Nonce"].flatMap { Base64.decode($0) })
            let secret = try #require(asked.headers["Receipt-Secret"].flatMap { Base64.decode($0) })
            #expect(nonce.count == 16)
            #expect(secret == ReceiptKey(seed: service.seed).secret(nonce: nonce))
            let receipt = StreamReceipt(nonce: nonce, stream: 1, total: 7, secret: secret)
            let verified = try await service.verify(Base64.encode(receipt.bytes))
            #expect(
                try verified.json() == [
                    "amount": "7", "id": "alice/fn", "spspEndpoint": .string(service.hostWallet.url("/host")),
                ])
            let account = try TestService.function("alice-fn")
            #expect(try await service.ledger.balance(of: account.account, terms: account.terms).balance == 7)
        }
    }

    @Test(
        "Statuses are those of the contract",
        arguments: [
            ("/alice-fn", "application/spsp4+json", 200), ("/ALICE/fn", "*/*", 200), ("/.well-known/pay", "*/*", 200),
            ("/alice/fn?z=1", "*/*", 200), ("/alice/fn", "text/html", 404), ("/alice/other", "*/*", 404),
            ("/nobody-fn", "*/*", 404), ("/verify", "*/*", 404), ("/", "*/*", 404), ("/a/b/c", "*/*", 404),
            ("/%24127.0.0.1", "*/*", 404), ("/https%3A%2F%2F127.0.0.1%2F", "*/*", 404), ("/priced/oddly", "*/*", 404),
        ])
    func answersStatuses(path: String, accept: String, status: Int) async throws {
        try await TestService.with { setting in
            try setting.addFunction()
            let dollars = try #require(Asset(code: "USD", scale: 2))
            setting.functions.append(("priced", "oddly", try TestService.function("priced-oddly", asset: dollars)))
        } _: { service in
            let answer = try await service.send(.get, path, [("Accept", accept)])

            #expect(answer.status.code == status)
            #expect(service.hostWallet.requests.count == (status == 200 ? 1 : 0))
            #expect(await service.ledger.connections.count == (status == 200 ? 1 : 0))
        }
    }

    @Test("A joined name that two functions have is refused, and their full names are not")
    func refusesAmbiguousNames() async throws {
        try await TestService.with { setting in
            try setting.addFunction("alex", "ellis-fn")
            try setting.addFunction("alex-ellis", "fn")
        } _: { service in
            let joined = try await service.send(.get, "/alex-ellis-fn")
            let first = try await service.send(.get, "/alex/ellis-fn")
            let second = try await service.send(.get, "/alex-ellis/fn")

            #expect(joined.status == .notFound)
            #expect(first.status == .ok)
            #expect(second.status == .ok)
        }
    }

    @Test(
        "A wallet that promises no receipts is refused, and its nonce forgotten",
        arguments: [
            ("{}", 200, 409), (#"{"receipts_enabled":false}"#, 200, 409), (#"{"receipts_enabled":0}"#, 200, 409),
            (#"{"receipts_enabled":""}"#, 200, 409), (#"{"receipts_enabled":null}"#, 200, 409), ("[]", 200, 409),
            (#"{"id":"InvalidReceiverError"}"#, 404, 409), ("null", 200, 409), (#"{"receipts_enabled":1}"#, 200, 200),
            (#"{"receipts_enabled":"yes"}"#, 201, 201), (#"{"receipts_enabled":true}"#, 404, 404),
            ("<html>", 200, 502), ("", 200, 502), (#"{"receipts_enabled":true"#, 200, 502), ("", 204, 502),
        ] as [(String, Int, Int)])
    func wantsReceipts(body: String, walletStatus: Int, status: Int) async throws {
        try await TestService.with { setting in
            setting.hostWallet = { _ in TestWallet.answer(body, HTTPStatus(walletStatus)) }
        } _: { service in
            let answer = try await service.send(.get, "/.well-known/pay")

            #expect(answer.status.code == status)
            #expect(await service.ledger.connections.count == (status == 200 || status == 201 ? 1 : 0))
        }
    }

    @Test("Whoever brings a nonce or a secret is refused: receipts are verified here or nowhere")
    func refusesChains() async throws {
        try await TestService.with { service in
            for field in ["Receipt-Nonce", "receipt-secret"] {
                let answer = try await service.send(.get, "/.well-known/pay", [(field, "AAAAAAAAAAAAAAAAAAAAAA==")])
                #expect(answer.status == .badRequest)
            }
            #expect(service.hostWallet.requests.isEmpty)
        }
    }

    @Test("The author is paid once the balance is positive, and that money is no credit")
    func sharesRevenue() async throws {
        let author = try TestWallet()
        try await TestService.with { setting in
            try setting.addFunction(pointer: author.url("/alice"))
        } _: { service in
            let account = try TestService.function("alice-fn").account

            #expect(try await service.send(.get, "/alice/fn").status == .ok)
            #expect(author.requests.isEmpty)
            await service.ledger.give(1, to: account)
            #expect(try await service.send(.get, "/alice/fn").status == .ok)

            #expect(author.requests.map(\.path) == ["/alice"])
            #expect(service.hostWallet.requests.count == 1)
            let nonce = try #require(author.requests[0].headers["Receipt-Nonce"].flatMap { Base64.decode($0) })
            let verified = try await service.verify(service.receipt(nonce: nonce, total: 99))
            #expect(try verified.json()["spspEndpoint"]?.stringValue == author.url("/alice"))
            #expect(try verified.json()["amount"] == "99")
            let function = try TestService.function("alice-fn")
            #expect(try await service.ledger.balance(of: account, terms: function.terms).balance == 1)
        }
        await author.stop()
    }

    @Test(
        "An author's pointer to the inside is not asked",
        arguments: [
            "http://127.0.0.2:PORT/", "http://[::1]:PORT/", "http://169.254.169.254/", "$10.0.0.1",
            "http://127.0.0.2.nip.invalid/", "http://0x7f.2:PORT/", "http://127.0.0.1:PORT/redirect",
        ])
    func refusesInnerPointers(template: String) async throws {
        let inside = try TestWallet { request in
            request.path == "/redirect"
                ? TestWallet.answer("", HTTPStatus(302), [("Location", "http://127.0.0.3:1/")])
                : TestWallet.goodAnswer()
        }
        try await TestService.with { setting in
            try setting.addFunction(pointer: template.replacing("PORT", with: String(inside.port)))
        } _: { service in
            await service.ledger.give(1, to: try TestService.function("alice-fn").account)

            let answer = try await service.send(.get, "/alice/fn")

            #expect(answer.status == .badGateway)
            #expect(inside.requests.allSatisfy { $0.path == "/redirect" })
            #expect(service.hostWallet.requests.isEmpty)
            #expect(await service.ledger.connections.isEmpty)
        }
        await inside.stop()
    }

    @Test("An author's pointer that is none leaves the money with the host")
    func invalidPointerPaysHost() async throws {
        try await TestService.with { setting in
            try setting.addFunction(pointer: "$wallet.example/alice?a=b")
        } _: { service in
            await service.ledger.give(1, to: try TestService.function("alice-fn").account)

            #expect(try await service.send(.get, "/alice/fn").status == .ok)

            #expect(service.hostWallet.requests.count == 1)
        }
    }

    @Test("A wallet that falls silent is told by 504 with a reason, one that is not there by 502")
    func tellsSilentWallets() async throws {
        let cutting = try RawServer { client, _ in
            _ = try await client.receive(until: "\r\n\r\n")
            await client.reset()
        }
        let refusing = try RefusingPort()
        try await TestService.with { setting in
            try setting.addFunction("cut", "fn", pointer: "http://127.0.0.1:\(cutting.port)/")
            try setting.addFunction("gone", "fn", pointer: "http://127.0.0.1:\(refusing.port)/")
        } _: { service in
            for owner in ["cut", "gone"] {
                await service.ledger.give(1, to: try TestService.function("\(owner)-fn").account)
            }

            let cut = try await service.send(.get, "/cut/fn")
            let gone = try await service.send(.get, "/gone/fn")

            #expect(cut.status == .gatewayTimeout)
            #expect(cut.headers.contains("X-Timout-Reason"))
            #expect(gone.status == .badGateway)
        }
    }

    @Test("Neither side gets what would speak for us")
    func filtersFields() async throws {
        try await TestService.with { setting in
            setting.hostWallet = { _ in
                TestWallet.answer(
                    #"{"receipts_enabled":true,"x":"<script>"}"#, .ok,
                    [
                        ("Set-Cookie", "a=b"), ("Strict-Transport-Security", "max-age=1"), ("Alt-Svc", "h2"),
                        ("Access-Control-Allow-Origin", "https://evil.example"), ("Cache-Control", "max-age=5"),
                        ("X-Wallet", "kept"), ("Receipt-Secret", "x"),
                    ])
            }
        } _: { service in
            let answer = try await service.send(
                .get, "/.well-known/pay",
                [
                    ("Authorization", "Bearer x"), ("X-Forwarded-For", "1.2.3.4"), ("Web-Monetization-Id", "id"),
                    ("Range", "bytes=0-1"), ("If-None-Match", "x"), ("X-Payer", "kept"),
                ])

            #expect(answer.headers["Cache-Control"] == "max-age=5")
            #expect(answer.headers["X-Wallet"] == "kept")
            #expect(answer.headers.values(for: "Access-Control-Allow-Origin") == ["*"])
            #expect(answer.headers["X-Content-Type-Options"] == "nosniff")
            for name in ["Set-Cookie", "Strict-Transport-Security", "Alt-Svc", "Receipt-Secret"] {
                #expect(!answer.headers.contains(name), "\(name)")
            }
            let asked = try #require(service.hostWallet.requests.first)
            #expect(asked.headers["web-monetization-id"] == "id")
            #expect(asked.headers["X-Payer"] == "kept")
            for name in ["Authorization", "X-Forwarded-For", "Range", "If-None-Match"] {
                #expect(!asked.headers.contains(name), "\(name)")
            }
        }
    }

    @Test("What a wallet calls its answer never makes it a page of ours")
    func setsContentType() async throws {
        for (given, told) in [
            ("text/html", "application/spsp4+json"), ("application/json; charset=utf-8", "application/json"),
        ] {
            try await TestService.with { setting in
                setting.hostWallet = { _ in
                    HTTPResponse(
                        .ok, headers: HTTPHeaders([("Content-Type", given)]),
                        body: .bytes(Array(#"{"receipts_enabled":true}"#.utf8)))
                }
            } _: { service in
                let answer = try await service.send(.get, "/.well-known/pay")
                #expect(answer.headers.values(for: "Content-Type") == [told])
            }
        }
    }

    @Test("Preflights are answered for every path, other methods are not")
    func answersMethods() async throws {
        try await TestService.with { service in
            let preflight = try await service.send(
                .options, "/alice/fn",
                [("Origin", "https://page.example"), ("Access-Control-Request-Method", "GET")])
            #expect(preflight.status == .noContent)
            #expect(preflight.headers["Access-Control-Allow-Origin"] == "https://page.example")
            #expect(preflight.headers["Access-Control-Allow-Headers"] == "web-monetization-id")
            #expect(preflight.headers["Access-Control-Allow-Methods"] == "GET, OPTIONS")
            for (method, path) in [
                (HTTPMethod.post, "/alice/fn"), (.put, "/verify"), (.delete, "/alice/fn"), (.head, "/alice/fn"),
                (.patch, "/verify/batch"),
            ] {
                let answer = try await service.send(method, path)
                #expect(answer.status == .methodNotAllowed, "\(method) \(path)")
                #expect(answer.headers.contains("Allow"))
            }
            #expect(service.hostWallet.requests.isEmpty)
        }
    }

    @Test("A ledger that does not work makes a query fail before the payer learns of a wallet")
    func failsClosed() async throws {
        try await TestService.with { service in
            await service.ledger.fail(.busy(retryAfter: .milliseconds(1500)))
            let busy = try await service.send(.get, "/.well-known/pay")
            #expect(busy.status == .serviceUnavailable)
            #expect(busy.headers["Retry-After"] == "2")
            #expect(!busy.text.contains("g.wallet"))
            await service.ledger.fail(.unavailable("disk"))
            let broken = try await service.send(.get, "/.well-known/pay")
            #expect(broken.status == .serviceUnavailable)
            #expect(!broken.text.contains("disk"))
        }
    }

    @Test("Whoever asks without end is told to come back, and no wallet hears of it")
    func limitsRate() async throws {
        try await TestService.with { setting in
            setting.configuration.queriesPerSecondMaximum = 1
        } _: { service in
            var statuses: [Int] = []
            for _ in 0..<2 { statuses.append(try await service.send(.get, "/.well-known/pay").status.code) }
            // At once, as one more is let in with each second; and fewer than a wallet's places.
            let more = try await withThrowingTaskGroup(of: Int.self) { group -> [Int] in
                for _ in 0..<30 { group.addTask { try await service.send(.get, "/.well-known/pay").status.code } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            statuses += more

            #expect(statuses.prefix(2) == [200, 200])
            #expect(statuses.contains(503))
            #expect(service.hostWallet.requests.count == statuses.filter { $0 == 200 }.count)
        }
    }

    @Test("A query comes back with time")
    func refillsRate() {
        let rate = QueryRate(perSecond: 10)
        let start = ContinuousClock.now

        let taken = (0..<20).filter { _ in rate.take(at: start) == nil }.count

        #expect(taken == 20)
        #expect(rate.take(at: start) == .milliseconds(100))
        #expect(rate.take(at: start + .milliseconds(100)) == nil)
    }

    @Test("Queries beyond the limit are told to come back, and a slow wallet keeps only its own places")
    func limitsQueries() async throws {
        let gate = WalletGate()
        try await TestService.with { setting in
            setting.configuration.queriesMaximum = 3
            setting.configuration.queriesPerWalletMaximum = 2
            setting.hostWallet = { _ in
                await gate.pass()
                return TestWallet.goodAnswer()
            }
        } _: { service in
            async let first = service.send(.get, "/.well-known/pay")
            async let second = service.send(.get, "/.well-known/pay")
            #expect(await eventually { gate.waiting == 2 })

            let third = try await service.send(.get, "/.well-known/pay")

            #expect(third.status == .serviceUnavailable)
            #expect(third.headers["Retry-After"] == "1")
            gate.open()
            #expect(try await first.status == .ok)
            #expect(try await second.status == .ok)
            #expect(try await service.send(.get, "/.well-known/pay").status == .ok)
        }
    }
}

/// Holds a wallet's answers until it is opened.
private final class WalletGate: Sendable {
    private struct State {
        var isOpen = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    var waiting: Int { state.withLock { $0.waiters.count } }

    func pass() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiters.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let waiters = state.withLock { state in
            state.isOpen = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
