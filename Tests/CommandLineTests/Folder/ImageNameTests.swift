import Builds
import Commands
import Testing

@testable import CommandLine

@Suite("Names of images")
struct ImageNameTests {
    private let commit = GitDescription(shortCommit: "0a1b2c3", branch: "feature/x y", description: "v1.2-3-g0a1b2c3")

    @Test(
        "Rules for tags make what faas-cli makes",
        arguments: [
            ("latest", "r:5000/a/fn", "r:5000/a/fn:latest"), ("", "r:5000/a/fn:1", "r:5000/a/fn:1"),
            ("default", "fn", "fn:latest"), ("sha", "fn:1", "fn:1-0a1b2c3"), ("sha", "fn", "fn:latest-0a1b2c3"),
            ("branch", "fn:1", "fn:1-feature-x-y-0a1b2c3"), ("describe", "fn:1", "fn:1-v1.2-3-g0a1b2c3"),
            ("digest", "r:5000/fn:1", "r:5000/fn:d41d8cd98f00b204e9800998ecf8427e"),
        ])
    func tags(rule: String, image: String, expected: String) throws {
        let tagged = try ImageTag(typed: rule).apply(
            to: image, commit: commit, digest: "d41d8cd98f00b204e9800998ecf8427e")

        #expect(tagged == expected)
    }

    @Test("A rule that is not known is told with those that are")
    func unknownRule() {
        let error = #expect(throws: UsageError.self) { try ImageTag(typed: "never") }

        #expect(error?.description.contains("branch, describe, digest") == true)
    }

    @Test(
        "A registry that is named counts most, then the image's own host, then the cluster's",
        arguments: [
            ("hello", nil, "registry:5000", "registry:5000/ns/hello"),
            ("hello", nil, "docker.io/farebox/", "docker.io/farebox/ns-hello"),
            ("alice/Hello", nil, "registry:5000/x", "registry:5000/x/ns/hello"),
            ("ghcr.io/alice/hello", nil, "registry:5000", "ghcr.io/alice/hello"),
            ("localhost/hello", nil, "registry:5000", "localhost/hello"),
            ("ghcr.io/alice/hello", "my.registry/bob/", "registry:5000", "my.registry/bob/hello"),
            ("hello", "bob", nil, "bob/hello"),
        ] as [(String, String?, String?, String)])
    func destinations(image: String, named: String?, cluster: String?, expected: String) throws {
        #expect(
            try ImageDestination.name(image: image, namespace: "ns", named: named, cluster: cluster) == expected)
    }

    @Test("Where nothing says where an image goes, the failure says what to type")
    func nowhere() {
        let failure = #expect(throws: CommandFailure.self) {
            try ImageDestination.name(image: "hello", namespace: "ns", named: nil, cluster: nil)
        }

        #expect(failure?.advice?.contains("--registry") == true)
    }
}
