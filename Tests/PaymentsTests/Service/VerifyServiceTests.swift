import Cryptography
import HTTP
import JSON
import Testing

@testable import Payments

@Suite("Receipts over HTTP", .timeLimit(.minutes(10)))
struct VerifyServiceTests {
    private static let sequenceNonce = (0..<16).map { UInt8($0) }

    @Test("Every bad body gets its status and its text")
    func refusesBadBodies() async throws {
        let vectors = try #require(try Vectors.load("receipts.json")["invalid"]?.arrayValue)
        #expect(vectors.count == 19)
        let seed = try #require(vectors.first?.bytes("seed_b64"))

        try await TestService.with { setting in
            setting.seeds = [seed]
        } _: { service in
            try await service.cache(nonce: Self.sequenceNonce, endpoint: "$wallet.example/host", identifier: "alice-fn")
            for vector in vectors {
                let name = vector["name"]?.stringValue ?? "?"

                let answer = try await service.verify(try #require(vector["body"]?.stringValue))

                #expect(Int64(answer.status.code) == vector["expect_status"]?.integerValue, "\(name)")
                #expect(answer.text == vector["expect_text"]?.stringValue, "\(name)")
                #expect(answer.headers["Content-Type"] == "text/plain; charset=utf-8", "\(name)")
            }
        }
    }

    @Test("Each valid receipt is worth what it adds, in every spelling")
    func takesValidReceipts() async throws {
        let all = try Vectors.load("receipts.json")
        let vectors = try #require(all["valid"]?.arrayValue)
        let seeds = Set(vectors.compactMap { $0.bytes("seed_b64") })

        try await TestService.with { setting in
            setting.seeds = Array(seeds)
        } _: { service in
            var highest: [[UInt8]: UInt64] = [:]
            for nonce in Set(vectors.compactMap { $0.bytes("nonce_b64") }) {
                try await service.cache(nonce: nonce, endpoint: "$wallet.example/host")
            }
            for vector in vectors where vector.bytes("seed_b64") != nil {
                let body = try #require(vector["receipt_b64"]?.stringValue)
                let total = try #require(vector["total_received"]?.stringValue.flatMap { UInt64($0) })
                let stream = Array(try #require(vector.bytes("receipt_b64"))[1...17])
                let before = highest[stream, default: 0]

                let answer = try await service.verify(body)

                if total > before {
                    #expect(answer.text == #"{"amount":"\#(total - before)","spspEndpoint":"$wallet.example/host"}"#)
                    highest[stream] = total
                } else {
                    #expect(answer.status == .badRequest)
                    #expect(answer.text == "expired receipt")
                }
            }
        }
    }

    @Test("Receipts in base64url and without padding are taken", arguments: [0, 1])
    func takesLenientSpelling(index: Int) async throws {
        let all = try Vectors.load("receipts.json")
        let body = try #require(all["lenient_decoding"]?[index]?["body"]?.stringValue)
        let seed = try #require(all["invalid"]?[0]?.bytes("seed_b64"))

        try await TestService.with { setting in
            setting.seeds = [seed]
        } _: { service in
            try await service.cache(nonce: Self.sequenceNonce, endpoint: "e")

            let answer = try await service.verify(body.replacing("+", with: "-").replacing("/", with: "_"))

            #expect(answer.text == #"{"amount":"10","spspEndpoint":"e"}"#)
        }
    }

    @Test("The sequences of the contract replay step by step", arguments: 0..<5)
    func replaysSequence(index: Int) async throws {
        let vectors = try Vectors.load("verify_sequences.json")
        let sequence = try #require(vectors["sequences"]?[index])
        let lifetime = Duration.seconds(sequence["ttl_seconds"]?.integerValue ?? 300)
        let seed = try #require(vectors.bytes("seed_b64"))

        try await TestService.with { setting in
            setting.seeds = [seed]
            setting.usesSQLite = true
        } _: { service in
            for step in try #require(sequence["steps"]?.arrayValue) {
                switch step["op"]?.stringValue {
                case "cache":
                    try await service.cache(
                        nonce: try #require(step.bytes("nonce_b64")),
                        endpoint: try #require(step["endpoint"]?.stringValue), identifier: step["id"]?.stringValue,
                        lifetime: lifetime)
                case "wait":
                    service.clock.advance(by: .seconds(try #require(step["seconds"]?.integerValue)))
                case "verify":
                    let answer = try await service.verify(try #require(step["body"]?.stringValue))
                    #expect(Int64(answer.status.code) == step["status"]?.integerValue)
                    if let json = step["json"] {
                        #expect(try answer.json() == json)
                        #expect(answer.headers["Content-Type"] == "text/plain; charset=utf-8")
                    } else {
                        #expect(answer.text == step["text"]?.stringValue)
                    }
                case let other: Issue.record("what is \(other ?? "nil")?")
                }
            }
        }
        #expect(vectors["sequences"]?.arrayValue?.count == 5)
    }

    @Test("A body far beyond the limit gets the same text, without being read to its end", arguments: [81, 1 << 22])
    func refusesLargeBodies(count: Int) async throws {
        try await TestService.with { service in
            let answer = try await service.send(.post, "/verify", body: [UInt8](repeating: 0x41, count: count))

            #expect(answer.status == .contentTooLarge)
            #expect(answer.text == "request entity too large")
        }
    }

    @Test("A ledger that does not work is told by 409, one that has too much to do by 503")
    func tellsLedgerFailures() async throws {
        try await TestService.with { service in
            let nonce = randomBytes(16)
            try await service.cache(nonce: nonce, endpoint: "e")
            let receipt = service.receipt(nonce: nonce, total: 1)

            await service.ledger.fail(.unavailable("no space left on /var/lib"))
            let broken = try await service.verify(receipt)
            await service.ledger.fail(.busy(retryAfter: .seconds(2)))
            let busy = try await service.verify(receipt)
            await service.ledger.fail(nil)
            let good = try await service.verify(receipt)

            #expect(broken.status == .conflict)
            #expect(!broken.text.contains("/var"))
            #expect(busy.status == .serviceUnavailable)
            #expect(busy.headers["Retry-After"] == "2")
            #expect(good.status == .ok)
        }
    }

    @Test("The same receipt, handed in many times at once, is credited once")
    func creditsOnce() async throws {
        try await TestService.with { setting in
            setting.usesSQLite = true
        } _: { service in
            let nonce = randomBytes(16)
            let function = try TestService.function("alice-fn")
            try await service.cache(nonce: nonce, endpoint: "e", account: function.account, creditsHost: true)
            let receipt = service.receipt(nonce: nonce, total: 500)

            let statuses = try await withThrowingTaskGroup { group in
                for _ in 0..<64 { group.addTask { try await service.verify(receipt).status.code } }
                return try await group.reduce(into: []) { $0.append($1) }
            }

            #expect(statuses.filter { $0 == 200 }.count == 1)
            #expect(statuses.filter { $0 == 400 }.count == 63)
            let balance = try await service.store.balance(of: function.account, terms: function.terms)
            #expect(balance.balance == 500)
        }
    }

    @Test("A page of any origin may hand receipts in")
    func allowsOrigins() async throws {
        try await TestService.with { service in
            let answer = try await service.send(
                .post, "/verify", [("Origin", "https://page.example")], body: Array("x".utf8))

            #expect(answer.status == .badRequest)
            #expect(answer.text == "receipt malformed")
            #expect(answer.headers["Access-Control-Allow-Origin"] == "https://page.example")
        }
    }

    // MARK: - Many at once

    @Test("A batch answers each receipt in its place")
    func takesBatches() async throws {
        try await TestService.with { service in
            let nonce = randomBytes(16)
            let function = try TestService.function("alice-fn")
            try await service.cache(
                nonce: nonce, endpoint: "$h.example", identifier: "alice/fn", account: function.account,
                creditsHost: true)
            let receipts = [
                service.receipt(nonce: nonce, total: 4), service.receipt(nonce: nonce, total: .max),
                String(repeating: "A", count: 81), "x", service.receipt(nonce: nonce, total: 4),
            ]

            let answer = try await service.send(
                .post, "/verify/batch",
                body: JSONWriter().write(["receipts": .array(receipts.map { .string($0) })]))

            #expect(
                try answer.json() == [
                    "results": [
                        [
                            "status": 200, "amount": "4", "id": "alice/fn", "spspEndpoint": "$h.example",
                            "credited": true,
                        ],
                        [
                            "status": 200, "amount": "18446744073709551611", "id": "alice/fn",
                            "spspEndpoint": "$h.example", "credited": true,
                        ],
                        ["status": 413, "error": "request entity too large"],
                        ["status": 400, "error": "receipt malformed"],
                        ["status": 400, "error": "expired receipt"],
                    ]
                ])
        }
    }

    @Test(
        "What is no batch is refused as a whole",
        arguments: [
            ("", 400), ("[]", 400), ("{}", 400), (#"{"receipts":"x"}"#, 400), (#"{"receipts":[1]}"#, 400),
            (#"{"receipts":["x"],"more":1}"#, 400), (#"{"receipts":["x"]"#, 400), (#"{"receipts":[[["x"]]]}"#, 400),
            (#"{"receipts":[\#(Array(repeating: #""""#, count: 1001).joined(separator: ","))]}"#, 400),
            (String(repeating: " ", count: ReceiptHandler.batchBytesMaximum + 1), 413), (#"{"receipts":[]}"#, 200),
        ])
    func refusesBadBatches(body: String, status: Int) async throws {
        try await TestService.with { service in
            let answer = try await service.send(.post, "/verify/batch", body: Array(body.utf8))

            #expect(answer.status.code == status)
        }
    }

    @Test("A full batch of receipts fits")
    func fitsFullBatch() async throws {
        try await TestService.with { service in
            let nonce = randomBytes(16)
            try await service.cache(nonce: nonce, endpoint: "e")
            let receipts = (1...1000).map { JSONValue.string(service.receipt(nonce: nonce, total: UInt64($0))) }

            let answer = try await service.send(
                .post, "/verify/batch", body: JSONWriter(style: .pretty).write(["receipts": .array(receipts)]))

            let results = try #require(try answer.json()["results"]?.arrayValue)
            #expect(results.count == 1000)
            #expect(results.allSatisfy { $0["amount"] == "1" && $0["credited"] == false })
        }
    }

    @Test("A ledger that has too much to do for a batch says when to come back")
    func tellsBusyForBatch() async throws {
        try await TestService.with { service in
            await service.ledger.fail(.busy(retryAfter: .seconds(4)))
            let receipt = service.receipt(nonce: randomBytes(16), total: 1)

            let answer = try await service.send(
                .post, "/verify/batch", body: JSONWriter().write(["receipts": [.string(receipt)]]))

            #expect(answer.status == .serviceUnavailable)
            #expect(answer.headers["Retry-After"] == "4")
        }
    }
}
