import Cryptography
import HTTP
import JSON
import Telemetry
import Testing
import Timing

@testable import Payments

@Suite("Leases and balances over HTTP", .timeLimit(.minutes(10)))
struct LeaseServiceTests {
    private static let exchangePath = "/v1/leases/exchange"

    private static func wish(_ more: JSONObject = [:]) -> JSONValue {
        var members: JSONObject = [
            "account": "functions/alice-fn", "calls": 30, "holder": "gateway-1", "seconds": 20,
        ]
        members.merge(more)
        return .object(members)
    }

    private func with(_ body: (TestService) async throws -> Void) async throws {
        try await TestService.with({ try $0.addFunction() }, body)
    }

    @Test("A gateway leases calls, exchanges the lease and settles it")
    func leases() async throws {
        try await with { service in
            let first = try await service.sendInside(.post, Self.exchangePath, body: Self.wish())
            let lease = try JSONReader().decode(CallLease.self, from: first.body)
            #expect(first.status == .ok)
            #expect(lease.calls == 30)
            #expect(lease.account.name == "functions/alice-fn")
            #expect(lease.expiresAt == service.clock.now + .seconds(20))

            let second = try await service.sendInside(
                .post, Self.exchangePath, body: Self.wish(["lease": .string(lease.id), "spent": 25]))
            let renewed = try JSONReader().decode(CallLease.self, from: second.body)
            #expect(renewed.calls == 25)

            let settled = try await service.sendInside(
                .post, "/v1/leases/settle", body: ["lease": .string(renewed.id), "spent": 5])
            #expect(settled.status == .noContent)
            let balance = try await service.sendInside(.get, "/v1/balances/functions/alice-fn")
            #expect(try balance.json()["callsSold"] == 30)
            #expect(try balance.json()["remainingCalls"] == 20)
            #expect(try balance.json()["account"] == "functions/alice-fn")
            #expect(try JSONReader().decode(AccountBalance.self, from: balance.body).balance == 0)
        }
    }

    @Test("A function that lost its price gives back what was leased and not used")
    func lostPrice() async throws {
        try await with { service in
            let first = try await service.sendInside(.post, Self.exchangePath, body: Self.wish())
            let lease = try JSONReader().decode(CallLease.self, from: first.body)
            let wish = Self.wish(["account": "functions/gone", "lease": .string(lease.id), "spent": 7])

            await service.ledger.fail(.busy(retryAfter: .seconds(1)))
            let busy = try await service.sendInside(.post, Self.exchangePath, body: wish)
            await service.ledger.fail(nil)
            let gone = try await service.sendInside(.post, Self.exchangePath, body: wish)

            #expect(busy.status == .serviceUnavailable)
            #expect(gone.status == .notFound)
            let balance = try await service.sendInside(.get, "/v1/balances/functions/alice-fn")
            #expect(try balance.json()["callsSold"] == 7)
            #expect(try balance.json()["remainingCalls"] == 43)
        }
    }

    @Test("Calls that are used up are told by 402 with the balance")
    func tellsExhausted() async throws {
        try await with { service in
            let all = try await service.sendInside(.post, Self.exchangePath, body: Self.wish(["calls": 50]))
            let lease = try JSONReader().decode(CallLease.self, from: all.body)

            let none = try await service.sendInside(
                .post, Self.exchangePath, body: Self.wish(["lease": .string(lease.id), "spent": 50]))

            #expect(none.status == .paymentRequired)
            #expect(none.headers["Content-Type"] == "application/problem+json")
            #expect(try none.json()["balance"]?["remainingCalls"] == 0)
            #expect(try none.json()["balance"]?["asset"]?["code"] == "XRP")
        }
    }

    @Test("Without a token nothing is told", arguments: [nil, "", "wrong", "a token of the gatewax", "a token"])
    func wantsToken(token: String?) async throws {
        try await with { service in
            for (method, path) in [
                (HTTPMethod.get, "/v1/balances/functions/alice-fn"), (.post, Self.exchangePath),
                (.post, "/v1/leases/settle"), (.get, "/v1/nothing"),
            ] {
                let answer = try await service.sendInside(
                    method, path, token: token, body: method == .post ? Self.wish() : nil)
                #expect(answer.status == .unauthorized)
                #expect(answer.headers.contains("WWW-Authenticate"))
            }
        }
    }

    @Test("A second token counts beside the first, and leases are not served to payers")
    func takesSecondToken() async throws {
        try await with { service in
            let path = "/v1/balances/functions/alice-fn"

            #expect(try await service.sendInside(.get, path, token: TestService.pairToken).status == .ok)
            let outside = try await service.send(.get, path, [("Authorization", "Bearer " + TestService.token)])
            #expect(outside.status == .notFound)
        }
    }

    @Test(
        "What makes no sense is refused with what to do",
        arguments: [
            ("not json", 400), ("{}", 400), (#"{"account":"nonsense","calls":1,"holder":"g","seconds":1}"#, 400),
            (#"{"account":"functions/alice-fn","calls":-1,"holder":"g","seconds":1}"#, 400),
            (#"{"account":"functions/alice-fn","calls":1,"holder":"g","seconds":0}"#, 422),
            (#"{"account":"functions/alice-fn","calls":1,"holder":"g","seconds":9999999999}"#, 422),
            (#"{"account":"functions/alice-fn","calls":0,"holder":"g","seconds":1}"#, 422),
            (#"{"account":"functions/nobody","calls":1,"holder":"g","seconds":1}"#, 404),
            (#"{"account":"functions/alice-fn","calls":1,"holder":"g","seconds":1,"lease":"gone","spent":1}"#, 404),
            (String(repeating: " ", count: 9000), 413),
        ])
    func refusesNonsense(body: String, status: Int) async throws {
        try await with { service in
            let answer = try await HTTPClient().send(
                HTTPClientRequest(
                    .post, url: service.internalBase + Self.exchangePath,
                    headers: HTTPHeaders([("Authorization", "Bearer " + TestService.token)]),
                    body: .bytes(Array(body.utf8))))

            #expect(answer.status.code == status)
        }
    }

    @Test(
        "Paths and methods that are not offered are refused",
        arguments: [
            ("GET", "/v1/leases/exchange", 405), ("POST", "/v1/balances/functions/alice-fn", 405),
            ("GET", "/v1/balances/functions", 404), ("GET", "/v1/balances/functions/alice-fn/x", 404),
            ("GET", "/v1/balances/Functions/x", 404), ("GET", "/v1/balances/functions/bob-fn", 404),
            ("GET", "/v1/", 404), ("GET", "/nothing", 404), ("POST", "/metrics", 405),
        ])
    func refusesPaths(method: String, path: String, status: Int) async throws {
        try await with { service in
            let answer = try await service.sendInside(HTTPMethod(rawValue: method), path)

            #expect(answer.status.code == status)
        }
    }

    @Test("A ledger that is busy or away is told by 503 and when to come back")
    func tellsLedgerFailures() async throws {
        try await with { service in
            for (failure, seconds) in [
                (LedgerError.busy(retryAfter: .milliseconds(2500)), "3"), (.unavailable("disk"), "1"),
            ] {
                await service.ledger.fail(failure)
                let answers = [
                    try await service.sendInside(.post, Self.exchangePath, body: Self.wish()),
                    try await service.sendInside(.post, "/v1/leases/settle", body: ["lease": "x", "spent": 1]),
                    try await service.sendInside(.get, "/v1/balances/functions/alice-fn"),
                ]
                #expect(answers.allSatisfy { $0.status == .serviceUnavailable })
                #expect(answers.allSatisfy { $0.headers["Retry-After"] == seconds })
                #expect(answers.allSatisfy { !$0.text.contains("disk") })
            }
        }
    }

    @Test("Readiness says whether the ledger works; health does not depend on it")
    func tellsReadiness() async throws {
        try await with { service in
            #expect(try await service.sendInside(.get, "/readyz", token: nil).status == .ok)
            await service.ledger.fail(.unavailable("disk"))
            let broken = try await service.sendInside(.get, "/readyz", token: nil)
            #expect(broken.status == .serviceUnavailable)
            #expect(broken.text == "[-]ledger failed: reason withheld\n")
            #expect(try await service.sendInside(.get, "/healthz", token: nil).status == .ok)
        }
    }

    @Test("Metrics count queries, receipts and leases")
    func counts() async throws {
        try await with { service in
            let nonce = randomBytes(16)
            let account = try TestService.function("alice-fn").account
            try await service.cache(nonce: nonce, endpoint: "e", account: account, creditsHost: true)
            _ = try await service.verify(service.receipt(nonce: nonce, total: 12))
            _ = try await service.verify(service.receipt(nonce: nonce, total: 12))
            _ = try await service.send(.get, "/alice/fn")
            _ = try await service.sendInside(.post, Self.exchangePath, body: Self.wish())

            let metrics = try await service.sendInside(.get, "/metrics", token: nil)

            #expect(metrics.headers["Content-Type"] == MetricsRegistry.contentType)
            for line in [
                #"farebox_payments_receipts_total{outcome="credited"} 1"#,
                #"farebox_payments_receipts_total{outcome="expired receipt"} 1"#,
                #"farebox_payments_credited_units_total{asset="XRP/9"} 12"#,
                #"farebox_payments_spsp_queries_total{outcome="answered"} 1"#,
                #"farebox_payments_wallet_queries_total{outcome="answered"} 1"#,
                "farebox_payments_leased_calls_total 30", "farebox_payments_lease_requests_in_flight 0",
                #"farebox_payments_requests_total{endpoint="verify",code="200"} 1"#,
            ] {
                #expect(metrics.text.contains(line + "\n"), "\(line)")
            }
        }
    }
}
