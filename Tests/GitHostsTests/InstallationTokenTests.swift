import Cryptography
import HTTP
import JSON
import OpenSSLTool
import Synchronization
import Testing
import Timing

@testable import GitHosts

@Suite("Tokens of installations of the GitHub App")
struct InstallationTokenTests {
    /// A key pair, made by openssl.
    private static func keys() throws -> (RSASigningKey, RSAVerifyingKey) {
        try OpenSSLProgram.with { openssl in
            try openssl.makeRSAKey()
            return (
                try RSASigningKey(pem: try openssl.read("traditional.pem")),
                try RSAVerifyingKey(pem: try openssl.read("public.pem"))
            )
        }
    }

    /// A clock that the test sets.
    private final class Clock: Sendable {
        private let value = Mutex(Timestamp(secondsSinceEpoch: 1_700_000_000))

        var now: Timestamp { value.withLock { $0 } }

        func advance(_ seconds: Int) { value.withLock { $0 = $0 + .seconds(seconds) } }
    }

    private static func answer(_ token: String, until end: Timestamp) -> HTTPResponse {
        .json(.created, ["token": .string(token), "expires_at": .string(end.rfc3339(.seconds)), "permissions": [:]])
    }

    @Test("The App's own token is RS256 over its claims, from a minute ago for ten minutes")
    func jsonWebToken() throws {
        let (key, publicKey) = try Self.keys()
        let app = GitHubApp(appID: "Iv1.7", apiURL: "https://api.example.com", key: key)

        let token = try app.token(now: Timestamp(secondsSinceEpoch: 1_700_000_000, nanoseconds: 900_000_000))
        let parts = token.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        let decoded = try parts.map { try #require(Base64.decode($0, .url)) }

        #expect(parts.count == 3)
        #expect(try JSONReader().parse(decoded[0]) == ["alg": "RS256", "typ": "JWT"])
        #expect(
            try JSONReader().parse(decoded[1]) == ["iss": "Iv1.7", "iat": 1_699_999_940, "exp": 1_700_000_540])
        #expect(publicKey.isValid(decoded[2], of: Array((parts[0] + "." + parts[1]).utf8)))
    }

    @Test("A token is asked for once, kept until a minute before its end, and asked for again then")
    func caching() async throws {
        let (key, publicKey) = try Self.keys()
        let clock = Clock()
        let script: ScriptedHost.Script = { _, count in
            Self.answer("ghs_\(count)", until: clock.now + .seconds(3600))
        }
        try await ScriptedHost.with(script) { host in
            let tokens = InstallationTokens(exchange: .open, now: { clock.now }) {
                GitHubApp(appID: "7", apiURL: host.url, key: key)
            }

            let first = try await tokens.token(for: 12)
            clock.advance(3539)
            let second = try await tokens.token(for: 12)
            clock.advance(1)
            let third = try await tokens.token(for: 12)
            let other = try await tokens.token(for: 13)

            #expect([first, second, third, other] == ["ghs_0", "ghs_0", "ghs_1", "ghs_2"])
            #expect(
                host.lines == [
                    "POST /app/installations/12/access_tokens", "POST /app/installations/12/access_tokens",
                    "POST /app/installations/13/access_tokens",
                ])
            let proof = try #require(host.exchanges[0].headers["Authorization"]?.dropFirst("Bearer ".count))
            let parts = proof.split(separator: ".")
            let signature = try #require(Base64.decode(String(parts[2]), .url))
            #expect(publicKey.isValid(signature, of: Array("\(parts[0]).\(parts[1])".utf8)))
        }
    }

    @Test("Many that want a token at once get one token by one request")
    func oneRequest() async throws {
        let (key, _) = try Self.keys()
        let script: ScriptedHost.Script = { _, count in
            Self.answer("ghs_\(count)", until: .now + .seconds(3600))
        }
        try await ScriptedHost.with(script) { host in
            let tokens = InstallationTokens(exchange: .open) {
                GitHubApp(appID: "7", apiURL: host.url, key: key)
            }

            let found = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<50 { group.addTask { try await tokens.token(for: 12) } }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }

            #expect(found == ["ghs_0"])
            #expect(host.lines.count == 1)
        }
    }

    @Test("A token that was refused is given up, and only that one")
    func discarding() async throws {
        let (key, _) = try Self.keys()
        let script: ScriptedHost.Script = { _, count in
            Self.answer("ghs_\(count)", until: .now + .seconds(3600))
        }
        try await ScriptedHost.with(script) { host in
            let tokens = InstallationTokens(exchange: .open) {
                GitHubApp(appID: "7", apiURL: host.url, key: key)
            }
            let old = try await tokens.token(for: 12)

            await tokens.discard("another", of: 12)
            let same = try await tokens.token(for: 12)
            await tokens.discard(old, of: 12)
            let new = try await tokens.token(for: 12)
            await tokens.discard(old, of: 12)
            let still = try await tokens.token(for: 12)

            #expect([old, same, new, still] == ["ghs_0", "ghs_0", "ghs_1", "ghs_1"])
        }
    }

    @Test("A failure is kept by nobody: the next one who asks asks again", arguments: [500, 401, 404])
    func failure(status: Int) async throws {
        let (key, _) = try Self.keys()
        let script: ScriptedHost.Script = { _, count in
            count == 0
                ? .json(HTTPStatus(status), ["message": "no"]) : Self.answer("ghs_1", until: .now + .seconds(3600))
        }
        try await ScriptedHost.with(script) { host in
            let tokens = InstallationTokens(exchange: .open) {
                GitHubApp(appID: "7", apiURL: host.url, key: key)
            }

            let error = await #expect(throws: GitHostError.self) { try await tokens.token(for: 12) }
            let token = try await tokens.token(for: 12)

            #expect(error?.description.contains("installation 12") == true)
            #expect(error?.description.contains("no") == true)
            #expect(token == "ghs_1")
        }
    }
}
