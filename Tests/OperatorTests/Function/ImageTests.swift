import KubernetesTypes
import Testing

@testable import Operator

@Suite("Images and their credentials")
struct ImageTests {
    static let digest = FunctionFixtures.digest

    @Test(
        "An image is known without asking when it names its digest, or was pinned before",
        arguments: [
            ("reg/a@\(digest)", nil, "reg/a@\(digest)"),
            ("reg/a:1", nil, nil),
            ("reg/a:1", "reg/a:1@\(digest)", "reg/a:1@\(digest)"),
            ("reg/a:2", "reg/a:1@\(digest)", nil),
            ("reg/a", "reg/a:1@\(digest)", nil),
            ("reg/a:1", "reg/a:1", nil),
            ("reg/a:1", "", nil),
        ] as [(String, String?, String?)])
    func known(requested: String, previous: String?, expected: String?) {
        let image = PinnedImage(known: requested, previous: previous)

        #expect(image?.reference == expected)
    }

    @Test("Only the image that is asked for is remembered for a function")
    func remembered() {
        let images = ResolvedImages()
        images.remember(PinnedImage("reg/a:1", digest: Self.digest), uid: "1")

        #expect(images.image(for: "reg/a:1", uid: "1")?.reference == "reg/a:1@\(Self.digest)")
        #expect(images.image(for: "reg/a:2", uid: "1") == nil)
        #expect(images.image(for: "reg/a:1", uid: "2") == nil)
        #expect(images.image(for: "reg/a:1", uid: "1", asked: "once more") == nil)
    }

    @Test(
        "The registry of a reference is found as Docker finds it",
        arguments: [
            ("hello", "docker.io"), ("alex/hello", "docker.io"), ("localhost/hello", "localhost"),
            ("reg.example.com/hello", "reg.example.com"), ("REG.example.com:5000/a/b:1", "reg.example.com:5000"),
            ("reg:5000/hello", "reg:5000"),
        ])
    func registry(reference: String, expected: String) {
        #expect(PullCredentials.registry(of: reference) == expected)
    }

    @Test(
        "A pull Secret holds the credentials for its image's registry and no others",
        arguments: [
            ("reg.example.com/a@x", #"{"auths":{"reg.example.com":{"auth":"QQ=="}}}"#),
            ("alex/hello@x", #"{"auths":{"docker.io":{"auth":"Qg=="}}}"#),
            ("other.example.com/a@x", nil),
            ("reg.example.com:5000/a@x", nil),
            ("reg.example.com/team/a:1@x", #"{"auths":{"reg.example.com":{"auth":"Qw=="}}}"#),
            ("reg.example.com/team:1", #"{"auths":{"reg.example.com":{"auth":"Qw=="}}}"#),
            ("reg.example.com/teams/a", #"{"auths":{"reg.example.com":{"auth":"QQ=="}}}"#),
        ] as [(String, String?)])
    func credentials(image: String, expected: String?) throws {
        let json = #"""
            {"auths": {"https://reg.example.com/v2/": {"auth": "QQ=="}, "https://index.docker.io/v1/": {"auth": "Qg=="},
                "reg.example.com/team": {"auth": "Qw=="}}}
            """#
        let secret = Secret(metadata: ObjectMeta(name: "s"), data: [".dockerconfigjson": Base64Bytes(utf8: json)])
        let credentials = try #require(PullCredentials(secret))

        let configuration = credentials.configuration(forImage: image)

        #expect(configuration.map { String(decoding: $0, as: UTF8.self) } == expected)
    }

    @Test("A Secret without credentials gives none", arguments: ["", "{}", "[]", #"{"auths": 5}"#, "{", "\u{FF}"])
    func noCredentials(text: String) {
        let secret = Secret(metadata: ObjectMeta(name: "s"), data: [".dockerconfigjson": Base64Bytes(utf8: text)])

        #expect(PullCredentials(secret) == nil)
        #expect(PullCredentials(Secret(metadata: ObjectMeta(name: "s"))) == nil)
    }
}
