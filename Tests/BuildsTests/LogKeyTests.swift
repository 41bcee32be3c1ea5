import CRDs
import JSON
import Testing
import Timing

@testable import Builds

@Suite("Keys of logs")
struct LogKeyTests {
    private let commit = String(repeating: "ab12", count: 10)

    private func makeKey(_ owner: String, _ repository: String, _ function: String, namespace: String? = nil) -> LogKey?
    {
        LogKey(
            namespace: namespace, owner: OwnerName(owner), repository: repository, commit: commit, function: function)
    }

    @Test("A key is owner, repository, commit and function")
    func path() throws {
        let key = try #require(makeKey("AlexEllis", "super-cake", "slack-fn"))

        #expect(key.path == "alexellis/super-cake/\(commit)/slack-fn/build.log")
        #expect(key.urlPath == "alexellis/super-cake/\(commit)/slack-fn")
    }

    @Test("The known keys come out, behind the bucket")
    func vectors() throws {
        for vector in try Vectors.load("naming.json")["log_key"]?.arrayValue ?? [] {
            let path = try #require(vector["repo_path"]?.stringValue).split(separator: "/").map(String.init)
            // The upstream test abbreviates more than Git does.
            let sha = try #require(vector["sha"]?.stringValue) + "00"
            let function = try #require(vector["function"]?.stringValue)
            let bucket = try #require(vector["bucket"]?.stringValue)

            let key = try #require(
                LogKey(owner: OwnerName(path[0]), repository: path[1], commit: sha, function: function))

            let expected = try #require(vector["expect_object"]?.stringValue)
            #expect(
                "\(bucket)/\(key)"
                    == expected.split(separator: "/").map { $0 == "af6db" ? sha[...] : $0 }
                    .joined(separator: "/"))
        }
    }

    @Test(
        "No part reaches out of its place",
        arguments: [
            "..", ".", "...", "../x", "a/../b", "/", "a\\b", "%2e%2e", "\u{0}", "a\nb", "@ns", ".incoming", "ä",
        ])
    func hostile(text: String) throws {
        let key = try #require(makeKey(text, text, text))

        let parts = key.path.split(separator: "/", omittingEmptySubsequences: false)
        #expect(parts.count == 5)
        #expect(parts.allSatisfy { !$0.isEmpty && $0.first != "." && $0.first != "@" })
        #expect(key.path.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\\") })
    }

    @Test("Different names give different keys")
    func distinct() {
        let names = ["a", "A", "a%", "a%25", "a/b", "a%2Fb", "a%2fb", ".a", "%2Ea", "a.", "a b", "a+b", "ä"]
        let keys = names.compactMap { makeKey("o", $0, "f")?.path }

        #expect(Set(keys).count == names.count)
    }

    @Test(
        "What is no key is none",
        arguments: ["", String(repeating: "a", count: 201), String(repeating: "ä", count: 34)])
    func refused(text: String) {
        #expect(makeKey(text, "r", "f") == nil)
        #expect(makeKey("o", text, "f") == nil)
        #expect(makeKey("o", "r", text) == nil)
        #expect(LogPrefix(owner: OwnerName(text)) == nil)
    }

    @Test(
        "A commit is a hex number",
        arguments: ["", "main", "abcdef", "ABCDEF12", "..", String(repeating: "a", count: 65)])
    func commits(text: String) {
        #expect(LogKey(owner: OwnerName("o"), repository: "r", commit: text, function: "f") == nil)
    }

    @Test("A key comes back from its URL", arguments: [nil, "other-namespace"])
    func url(namespace: String?) throws {
        for name in ["shop", ".github", "group/sub", "100%", "ä", "a b"] {
            let key = try #require(makeKey(name, name, name, namespace: namespace))

            let read = LogKey(urlParts: key.urlPath.split(separator: "/", omittingEmptySubsequences: false))

            #expect(read?.path == key.path)
            #expect(read?.namespace == namespace)
        }
    }

    @Test(
        "A URL that names no key is refused",
        arguments: [
            "", "a", "a/b/c", "a/b/c/d", "a/b/0123456/", "/b/0123456/f", "a/b/0123456/f/", "a/b/0123456/f/build.log",
            "ns/a/b/0123456/f", "@/a/b/0123456/f", "@NS/a/b/0123456/f", "@a/b/0123456/f/g/h", "a/b/0123456/%",
            "a/b/0123456/%2",
            "a/b/0123456/%zz", "a/b/0123456/%ff", "a/b/0123456/%00", "a/b/0123456/%0a",
        ])
    func badURL(path: String) {
        #expect(LogKey(urlParts: path.split(separator: "/", omittingEmptySubsequences: false)) == nil)
    }
}

@Suite("Tokens of logs")
struct LogTokensTests {
    private let tokens = LogTokens(key: [UInt8](repeating: 7, count: 32))
    private let now = Timestamp(secondsSinceEpoch: 1_000_000)

    private func key(_ owner: String, _ repository: String) throws -> LogKey {
        try #require(LogKey(owner: OwnerName(owner), repository: repository, commit: "0123456", function: "fn"))
    }

    @Test("A link opens its log until it expires, and nothing else")
    func link() throws {
        let mine = try key("alex", "ellis-fn")
        let link = tokens.link(to: mine, until: now + .seconds(60))

        #expect(tokens.opens(link, mine, now: now))
        #expect(tokens.opens(link, mine, now: now + .seconds(59)))
        #expect(!tokens.opens(link, mine, now: now + .seconds(60)))
        #expect(!tokens.opens(link, try key("alex-ellis", "fn"), now: now))
        #expect(!LogTokens(key: [UInt8](repeating: 8, count: 32)).opens(link, mine, now: now))
        #expect(!tokens.isWrite(link))
    }

    @Test("A link whose time was changed opens nothing")
    func forged() throws {
        let mine = try key("alice", "shop")
        let link = tokens.link(to: mine, until: now + .seconds(60))
        let signature = link.drop { $0 != "." }
        let times = ["1000061", "9999999999", "+1000060", "01000060", String(repeating: "9", count: 100_000)]
        var forged: [String] = times.map { $0 + String(signature) }
        forged += [link + "x", link + ".", ".", "", "1000060.", String(signature), tokens.write]
        forged.append("1000060." + tokens.write)

        for token in forged { #expect(!tokens.opens(token, mine, now: now), "\(token.prefix(80))") }
    }

    @Test("No token is good for an artifact, or an artifact's for a log")
    func separate() throws {
        let artifacts = try #require(ArtifactTokens(key: [UInt8](repeating: 7, count: 32)))

        #expect(!artifacts.isWrite(artifacts.logs.write))
        #expect(!artifacts.logs.isWrite(artifacts.write))
        #expect(artifacts.logs.isWrite(tokens.write))
        #expect(!"\(tokens)".contains(tokens.write))
    }
}
