import Cryptography
import HTTP
import JSON
import Testing
import Timing

@testable import Webhook

@Suite("Signatures of deliveries")
struct SignatureTests {
    struct Vectors: Decodable {
        struct Vector: Decodable, Sendable {
            let key: String
            let body: String
            let sha1: String
            let sha256: String
        }

        struct Reject: Decodable, Sendable {
            let header: String
        }

        let vectors: [Vector]
        let rejects: [Reject]

        static func load() throws -> Vectors { try JSONReader().decode(Vectors.self, from: Sample.vectors("hmac")) }
    }

    static func delivery(_ body: String, _ fields: [(String, String)]) -> RawDelivery {
        RawDelivery(headers: HTTPHeaders(fields), body: Array(body.utf8))
    }

    @Test("A delivery signed with the secret is accepted, and with SHA-1 only where that is allowed")
    func vectors() throws {
        for vector in try Vectors.load().vectors {
            let secrets = [Array(vector.key.utf8)]
            let good = Self.delivery(vector.body, [("X-Hub-Signature-256", vector.sha256)])
            let old = Self.delivery(vector.body, [("X-Hub-Signature", vector.sha1)])

            #expect(HubSignature(acceptsSHA1: false).doubt(good, secrets: secrets) == nil)
            #expect(HubSignature(acceptsSHA1: false).doubt(old, secrets: secrets) != nil)
            #expect(HubSignature(acceptsSHA1: true).doubt(old, secrets: secrets) == nil)
            #expect(HubSignature(acceptsSHA1: true).doubt(old, secrets: [Array("guess".utf8)]) != nil)
        }
    }

    @Test("A signature that is malformed in any way is refused")
    func malformed() throws {
        let headers =
            try Vectors.load().rejects.map(\.header) + [
                "sha256=", "sha256=zz", "608b0c406f3dda19702d71a048483b8c331283106d80a208e3cf43dbde505286",
                "SHA256=608b0c406f3dda19702d71a048483b8c331283106d80a208e3cf43dbde505286",
                "sha256=608b0c406f3dda19702d71a048483b8c331283106d80a208e3cf43dbde505287",
                "sha256=608b0c406f3dda19702d71a048483b8c331283106d80a208e3cf43dbde50528600",
                "sha256=" + String(repeating: "0", count: 1_000_000),
            ]
        let secrets = [Array("s3cr3t".utf8)]

        for header in headers {
            for field in ["X-Hub-Signature-256", "X-Hub-Signature"] {
                let doubt = HubSignature(acceptsSHA1: true).doubt(
                    Self.delivery("{}", [(field, header)]), secrets: secrets)
                #expect(doubt != nil, "\(field): \(header.prefix(80))")
            }
        }
    }

    @Test("A good SHA-1 does not make up for a bad SHA-256")
    func noDowngrade() throws {
        let vector = try #require(try Vectors.load().vectors.first)
        let both = Self.delivery(
            vector.body, [("X-Hub-Signature-256", "sha256=00"), ("X-Hub-Signature", vector.sha1)])

        let doubt = HubSignature(acceptsSHA1: true).doubt(both, secrets: [Array(vector.key.utf8)])

        #expect(doubt != nil)
    }

    @Test("Either of two secrets is accepted while one replaces the other; an empty one never is")
    func rotation() {
        let body = Array("{}".utf8)
        func field(_ key: String) -> String { "sha256=" + Hex.encode(HMAC.sha256(key: Array(key.utf8), message: body)) }
        let signature = BodySignature(secrets: [Array("old".utf8), [], Array("new".utf8)])

        #expect(
            ["old", "new", "", "other"].map { signature.verifies(field: field($0), of: body) } == [
                true, true, false, false,
            ])
    }

    // MARK: - Standard Webhooks

    static let key = Array("0123456789abcdef0123456789abcdef".utf8)
    static let secret = Array(("whsec_" + Base64.encode(key)).utf8)

    static func signed(
        id: String = "msg-1", time: String = String(Desk.now.secondsSinceEpoch), body: String = "{}",
        key: [UInt8] = key, also: String = ""
    ) -> RawDelivery {
        let signature = HMAC.sha256(key: key, message: Array("\(id).\(time).\(body)".utf8))
        return delivery(
            body,
            [
                ("webhook-id", id), ("webhook-timestamp", time),
                ("webhook-signature", also + "v1," + Base64.encode(signature)),
            ])
    }

    @Test("A signed delivery of GitLab is accepted, also among signatures of other keys and versions")
    func standard() {
        let dialect = GitLabDialect(url: nil)
        let deliveries = [Self.signed(), Self.signed(also: "v1a,AAAA v1,AAAA ")]

        for delivery in deliveries {
            #expect(dialect.doubt(delivery, secrets: [Array("token".utf8), Self.secret], now: Desk.now) == nil)
        }
    }

    @Test("A signed delivery is refused when it is old, from the future, changed, or signed by somebody else")
    func standardRefused() {
        let now = Desk.now.secondsSinceEpoch
        var changed = Self.signed()
        changed = RawDelivery(headers: changed.headers, body: Array("{} ".utf8))
        var renamed = Self.signed().headers
        renamed["webhook-id"] = "msg-2"
        let deliveries = [
            Self.signed(time: String(now - 301)), Self.signed(time: String(now + 301)), Self.signed(time: "soon"),
            Self.signed(time: "99999999999999999999999"), Self.signed(time: "-1"),
            Self.signed(key: Self.key.reversed()), changed,
            RawDelivery(headers: renamed, body: Array("{}".utf8)), Self.signed(id: String(repeating: "x", count: 200)),
            Self.delivery("{}", [("webhook-signature", "v1,AAAA")]), Self.delivery("{}", []),
        ]

        for delivery in deliveries {
            #expect(GitLabDialect(url: nil).doubt(delivery, secrets: [Self.secret], now: Desk.now) != nil)
        }
    }

    @Test("The token of a bad signature does not help, and a signing secret is no token")
    func tokenBesideSignature() {
        var headers = Self.signed(key: Self.key.reversed()).headers
        headers["X-Gitlab-Token"] = "token"
        let forged = RawDelivery(headers: headers, body: Array("{}".utf8))
        let asToken = Self.delivery("{}", [("X-Gitlab-Token", String(decoding: Self.secret, as: UTF8.self))])
        let dialect = GitLabDialect(url: nil)

        #expect(dialect.doubt(forged, secrets: [Array("token".utf8), Self.secret], now: Desk.now) != nil)
        #expect(dialect.doubt(asToken, secrets: [Self.secret], now: Desk.now) != nil)
        #expect(dialect.doubt(asToken, secrets: [Array("whsec_%%".utf8)], now: Desk.now) != nil)
    }

    @Test("GitLab's token is compared as a whole", arguments: ["", "toke", "tokens", "Token", "token "])
    func tokens(given: String) {
        let delivery = Self.delivery("{}", [("X-Gitlab-Token", given)])

        let doubt = GitLabDialect(url: nil).doubt(delivery, secrets: [Array("token".utf8)], now: Desk.now)

        // White space at the ends of a field is not part of its value.
        #expect((doubt == nil) == (given == "token "))
    }
}
