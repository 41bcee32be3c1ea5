import Cryptography
import HTTP
import JSON
import OpenSSLTool
import RawSockets
import Testing
import Timing

@testable import GitHosts

@Suite("Telling a Git host")
struct StatusSenderTests {
    private static let commit = String(repeating: "a", count: 40)
    private let report = StatusReport(context: "cart", state: .success, description: "deployed: alice-cart")

    private func place(_ form: StatusPlace.Form, _ host: ScriptedHost) -> StatusPlace {
        place(form, at: host.url)
    }

    private func place(_ form: StatusPlace.Form, at url: String) -> StatusPlace {
        StatusPlace(form: form, apiURL: url, project: "alice/shop", commit: Self.commit)
    }

    private static func key() throws -> RSASigningKey {
        try OpenSSLProgram.with { openssl in
            try openssl.makeRSAKey()
            return try RSASigningKey(pem: try openssl.read("key.pem"))
        }
    }

    @Test("A check run is looked for once, made once, and updated from then on")
    func checkRun() async throws {
        let script: ScriptedHost.Script = { exchange, _ in
            exchange.method == "GET"
                ? .json(.ok, ["total_count": 0, "check_runs": []])
                : .json(exchange.method == "POST" ? .created : .ok, ["id": 4711])
        }
        try await ScriptedHost.with(script) { host in
            let sender = StatusSender(exchange: .open, tokens: nil)
            let place = place(.gitHubCheck(appID: "7"), host)
            var begun = report
            begun.state = .pending

            try await sender.send(begun, to: place, as: .token("t"))
            try await sender.send(report, to: place, as: .token("t"))

            #expect(
                host.lines == [
                    "GET /repos/alice/shop/commits/\(Self.commit)/check-runs?check_name=cart&filter=latest"
                        + "&per_page=100&app_id=7",
                    "POST /repos/alice/shop/check-runs", "PATCH /repos/alice/shop/check-runs/4711",
                ])
            #expect(host.exchanges.last?.body["conclusion"] == "success")
        }
    }

    @Test("Another process finds the check run and updates it")
    func checkRunFound() async throws {
        let commit = Self.commit
        let script: ScriptedHost.Script = { exchange, _ in
            exchange.method == "GET"
                ? .json(
                    .ok,
                    [
                        "check_runs": [
                            ["id": 1, "name": "other", "external_id": .string("farebox:\(commit):other")],
                            ["id": 2, "name": "cart", "external_id": .string("farebox:\(commit):cart")],
                        ]
                    ]) : .json(.ok, ["id": 2])
        }
        try await ScriptedHost.with(script) { host in
            let sender = StatusSender(exchange: .open, tokens: nil)

            try await sender.send(report, to: place(.gitHubCheck(appID: "7"), host), as: .token("t"))

            #expect(host.lines.last == "PATCH /repos/alice/shop/check-runs/2")
            #expect(host.lines.count == 2)
        }
    }

    @Test("A check run that is gone is made anew", arguments: [404, 422, 403])
    func checkRunGone(status: Int) async throws {
        let script: ScriptedHost.Script = { exchange, _ in
            switch exchange.method {
            case "GET": .json(.ok, ["check_runs": [["id": 2, "name": "cart", "app": ["id": 7]]]])
            case "PATCH": .json(HTTPStatus(status), ["message": "no"])
            default: .json(.created, ["id": 3])
            }
        }
        try await ScriptedHost.with(script) { host in
            let sender = StatusSender(exchange: .open, tokens: nil)

            try await sender.send(report, to: place(.gitHubCheck(appID: "7"), host), as: .token("t"))

            #expect(host.exchanges.map(\.method) == ["GET", "PATCH", "POST"])
        }
    }

    @Test("GitLab's refusal to go from a state to the same state counts as told; any other does not")
    func gitLabTransition() async throws {
        let script: ScriptedHost.Script = { _, count in
            .json(
                .badRequest,
                [
                    "message": count == 0
                        ? "Cannot transition status via :enqueue from :pending (Reason(s): Status cannot transition)"
                        : "state does not have a valid value"
                ])
        }
        try await ScriptedHost.with(script) { host in
            let sender = StatusSender(exchange: .open, tokens: nil)

            try await sender.send(report, to: place(.gitLab, host), as: .token("t"))
            let error = await #expect(throws: GitHostError.self) {
                try await sender.send(report, to: place(.gitLab, host), as: .token("t"))
            }

            guard case .refused(let message) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(message.contains("valid value"))
        }
    }

    @Test("An installation's token that is refused is renewed once, and then the answer counts", arguments: [1, 2])
    func renewal(refusals: Int) async throws {
        let key = try Self.key()
        let script: ScriptedHost.Script = { exchange, _ in
            if exchange.target.hasSuffix("/access_tokens") {
                let end = (Timestamp.now + .seconds(3600)).rfc3339(.seconds)
                return .json(.created, ["token": "ghs_new", "expires_at": .string(end)])
            }
            return .json(.created, [:])
        }
        let refused: ScriptedHost.Script = { exchange, count in
            // Tokens come at 0 and 2, statuses at 1 and 3.
            exchange.target.hasSuffix("/statuses/\(Self.commit)") && count / 2 < refusals
                ? .json(.unauthorized, ["message": "Bad credentials"]) : script(exchange, count)
        }
        try await ScriptedHost.with(refused) { host in
            let tokens = InstallationTokens(exchange: .open) {
                GitHubApp(appID: "7", apiURL: host.url, key: key)
            }
            let sender = StatusSender(exchange: .open, tokens: tokens)
            let result = await Result {
                try await sender.send(report, to: place(.gitHubStatus, host), as: .installation(12))
            }

            #expect(host.lines.count == 4)
            if refusals == 1 {
                try result.get()
            } else {
                #expect(throws: GitHostError.self) { try result.get() }
                guard case .failure(GitHostError.refused) = result else {
                    Issue.record("a token that is refused twice is final")
                    return
                }
            }
        }
    }

    @Test("A token of somebody's that is refused is not tried twice, and is in no message")
    func refusedToken() async throws {
        try await ScriptedHost.with({ _, _ in .json(.unauthorized, ["message": "Bad credentials"]) }) { host in
            let sender = StatusSender(exchange: .open, tokens: nil)

            let error = await #expect(throws: GitHostError.self) {
                try await sender.send(report, to: place(.gitHubStatus, host), as: .token("hunter2"))
            }

            #expect(host.lines.count == 1)
            #expect(error?.description.contains("Bad credentials") == true)
            #expect(error?.description.contains("hunter2") == false)
            #expect(!"\(GitHostCredential.token("hunter2"))".contains("hunter2"))
        }
    }

    @Test("A host that asks for patience is left alone by whom it asked, and by nobody else")
    func patience() async throws {
        let script: ScriptedHost.Script = { _, _ in
            HTTPResponse(HTTPStatus(429), headers: HTTPHeaders([("Retry-After", "600")]))
        }
        try await ScriptedHost.with(script) { busy in
            try await ScriptedHost.with({ _, _ in .json(.created, [:]) }) { idle in
                let sender = StatusSender(exchange: .open, tokens: nil)
                func wait(_ host: ScriptedHost, _ token: String = "t") async throws -> Duration? {
                    do {
                        try await sender.send(report, to: place(.gitHubStatus, host), as: .token(token))
                        return nil
                    } catch GitHostError.later(_, let wait) {
                        return wait
                    }
                }

                let first = try await wait(busy)
                let second = try await wait(busy)
                let other = try await wait(idle)
                let neighbour = try await wait(busy, "another tenant's")

                #expect(first == .seconds(600))
                #expect(try #require(second) > .seconds(500))
                #expect(other == nil)
                #expect(neighbour == .seconds(600))
                #expect(busy.lines.count == 2, "the second try was not sent, the neighbour's was")
                #expect(idle.lines.count == 1)
            }
        }
    }

    @Test("A tenant's host on a private address is refused; the administrator's is not")
    func guardedAddresses() async throws {
        try await ScriptedHost.with({ _, _ in .json(.created, [:]) }) { host in
            let exchange = GitHostExchange(
                open: HTTPClient(),
                guarded: HTTPClient(configuration: HTTPClientConfiguration(addresses: .publicOnly)),
                timeout: .seconds(60))
            let sender = StatusSender(exchange: exchange, tokens: nil)
            var place = place(.gitHubStatus, host)

            let error = await #expect(throws: GitHostError.self) {
                try await sender.send(report, to: place, as: .token("t"))
            }
            place.isTrusted = true
            try await sender.send(report, to: place, as: .token("t"))

            guard case .refused = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(host.lines.count == 1)
        }
    }

    @Test("A host that nobody answers for is tried again later")
    func unreachable() async throws {
        let nobody = try RefusingPort()
        let sender = StatusSender(exchange: .open, tokens: nil)

        let error = await #expect(throws: GitHostError.self) {
            try await sender.send(
                report, to: place(.gitHubStatus, at: "http://127.0.0.1:\(nobody.port)"), as: .token("t"))
        }

        guard case .later(_, nil) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }
}

extension Result where Failure == any Error {
    /// What `body` returns or throws.
    fileprivate init(_ body: () async throws -> Success) async {
        do {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}
