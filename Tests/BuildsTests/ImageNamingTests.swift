import JSON
import Testing

@testable import Builds

@Suite("The name of an image")
struct ImageNamingTests {
    @Test("is the one of the vectors, in lower case")
    func vectors() throws {
        let vectors = try Vectors.load("naming.json")
        let cases = try #require(vectors["image"]?.arrayValue)
        #expect(cases.count == 5)
        for entry in cases {
            func text(_ key: String) throws -> String { try #require(entry[key]?.stringValue) }
            let naming = ImageNaming(push: try text("push_repository_url"))

            let image = try naming.image(
                stackImage: text("stack_image"), owner: text("owner"), repository: text("repo"),
                branch: text("branch"), commit: text("sha"))

            #expect(image.description == (try text("expect")).lowercased())
        }
    }

    @Test("is rewritten for pulling as the vectors say")
    func pullVectors() throws {
        let cases = try #require(try Vectors.load("naming.json")["pull_rewrite"]?.arrayValue)
        #expect(cases.count == 4)
        for entry in cases {
            func text(_ key: String) throws -> String { try #require(entry[key]?.stringValue) }
            let naming = ImageNaming(push: try text("push"), pull: try text("pull"))

            let image = naming.pullName(of: try text("image"))

            #expect(image == (try text("expect")))
        }
    }

    @Test(
        "is valid whatever the names are",
        arguments: [
            ("feature/Log-In", "alice", "shop"), ("main", "Group.Sub_Team", "__weird__"), ("ünï/cödé", "ö", "日本"),
            (String(repeating: "b/", count: 120) + "b", String(repeating: "o", count: 200), "-"),
            ("..", "..", ".."), ("main", "a--b", "c..d"),
        ])
    func alwaysValid(branch: String, owner: String, repository: String) throws {
        let naming = ImageNaming(push: "registry.example.com:5000/farebox")

        let image = try naming.image(
            stackImage: "fn:v1.0+x", owner: owner, repository: repository, branch: branch,
            commit: String(repeating: "a", count: 40))

        #expect(try ImageReference(parsing: image.description) == image)
        #expect(image.tag?.hasSuffix("-aaaaaaa") == true)
    }

    @Test("differs for names that only look alike after cleaning")
    func noCollision() throws {
        let naming = ImageNaming(push: "r")

        let names = try ["a b", "a+b", "a-b", "a=b"].map {
            try naming.image(stackImage: "f", owner: $0, repository: "r", branch: "m", commit: "c").name
        }

        #expect(Set(names).count == 4)
    }
}

@Suite("An image reference")
struct ImageReferenceTests {
    @Test(
        "is read into registry, path, tag and digest",
        arguments: [
            ("debian", "docker.io", "library/debian", nil, nil),
            ("alice/fn:1", "docker.io", "alice/fn", "1", nil),
            ("registry:5000/alice/fn", "registry:5000", "alice/fn", nil, nil),
            ("localhost/fn:x", "localhost", "fn", "x", nil),
            ("[2001:db8::1]:5000/a/b:t", "[2001:db8::1]:5000", "a/b", "t", nil),
            (
                "ghcr.io/a/b__c-d--e.f:T_1.2-x@sha256:" + String(repeating: "0a", count: 32), "ghcr.io",
                "a/b__c-d--e.f",
                "T_1.2-x", "sha256:" + String(repeating: "0a", count: 32)
            ),
        ] as [(String, String, String, String?, String?)])
    func parts(text: String, registry: String, repository: String, tag: String?, digest: String?) throws {
        let image = try ImageReference(parsing: text)

        #expect(image.registry == registry)
        #expect(image.repository == repository)
        #expect(image.tag == tag)
        #expect(image.digest == digest)
    }

    @Test(
        "that breaks the grammar is refused",
        arguments: [
            "", ":", "@", "a:", "a@", "A/b", "reg.io/Alice/fn", "a b", "a//b", "/a", "a/", "a:-x", "a:.x",
            "a@sha256:12",
            "a@md5:" + String(repeating: "0", count: 32), "a___b", "a..b", "-a", "a-", "reg.io:x/a", "reg.io:/a",
            "a:" + String(repeating: "t", count: 129), "reg.io/" + String(repeating: "x", count: 255),
            "a\n", "é", "a@sha256:" + String(repeating: "A", count: 64), "[::1/a", "reg..io/a",
        ])
    func refused(text: String) {
        #expect(throws: ImageReferenceError.self) { try ImageReference(parsing: text) }
    }
}
