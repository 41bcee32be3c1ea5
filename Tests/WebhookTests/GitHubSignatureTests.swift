import Testing

@testable import Webhook

@Suite("The signature of a GitHub delivery")
struct GitHubSignatureTests {
    /// facts/vectors/hmac.json: key, body, `X-Hub-Signature-256`.
    static let vectors: [(key: String, body: String, header: String)] = [
        (
            "key-goes-here", "Store this string",
            "sha256=e5be64930d119f5f805ff9b7d435197d2a3b54118c51d38365af6c3cb48ce24f"
        ),
        ("key-", "Store this string", "sha256=ccb1ba3266eb28fb903b973e33d9c46af33bd2ee863dd0bd6b23e662fc1574a7"),
        (
            "It's a Secret to Everybody", "Hello, World!",
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        ),
        ("s3cr3t", "{}", "sha256=608b0c406f3dda19702d71a048483b8c331283106d80a208e3cf43dbde505286"),
        ("s3cr3t", "", "sha256=3c81cc9496e1c25250f6ccb85f697c1bb623e3480d6538ad8cb6a6648142777d"),
    ]

    @Test("A delivery signed with the secret is accepted", arguments: vectors)
    func rightSignature(vector: (key: String, body: String, header: String)) {
        let signature = GitHubSignature(secrets: [Array(vector.key.utf8)])

        let verifies = signature.verifies(vector.header, body: Array(vector.body.utf8))

        #expect(verifies)
    }

    @Test("Either of two secrets is accepted while one replaces the other")
    func rotation() {
        let signature = GitHubSignature(secrets: [Array("old".utf8), Array("s3cr3t".utf8)])

        let verifies = signature.verifies(Self.vectors[3].header, body: Array("{}".utf8))

        #expect(verifies)
    }

    @Test(
        "A signature that is wrong in any way is refused",
        arguments: [
            "", "sha256=", "sha256=00", "sha256=zz", "sha1=f717d461cefc70d136e3e49fbcb90ce682c31fb8",
            "SHA256=608b0c406f3dda19702d71a048483b8c331283106d80a208e3cf43dbde505286",
            "608b0c406f3dda19702d71a048483b8c331283106d80a208e3cf43dbde505286",
            "sha256=608b0c406f3dda19702d71a048483b8c331283106d80a208e3cf43dbde505287",
            "sha256=608b0c406f3dda19702d71a048483b8c331283106d80a208e3cf43dbde505286 ",
            "sha256=608b0c406f3dda19702d71a048483b8c331283106d80a208e3cf43dbde50528600",
        ])
    func wrongSignature(header: String) {
        let signature = GitHubSignature(secrets: [Array("s3cr3t".utf8)])

        let verifies = signature.verifies(header, body: Array("{}".utf8))

        #expect(!verifies)
    }

    @Test("Without a secret, and with an empty one, nothing is accepted", arguments: [[], [[UInt8]()]])
    func noSecret(secrets: [[UInt8]]) {
        // HMAC-SHA256 of "{}" under the empty key: what a sender who guesses "no secret" would send.
        let header = "sha256=22f8eea909400af98adf3681a9f31923ef6b7fcba4abb553d92823a3e9d5c25e"
        let signature = GitHubSignature(secrets: secrets)

        let verifies = signature.verifies(header, body: Array("{}".utf8))

        #expect(!verifies)
    }
}
