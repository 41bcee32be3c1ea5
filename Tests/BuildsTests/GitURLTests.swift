import CRDs
import Testing

@testable import Builds

@Suite("A Git address")
struct GitURLTests {
    @Test(
        "is taken apart into host, owner and repository",
        arguments: [
            ("https://git.example.com/alice/shop.git", "git.example.com", 443, "alice", "shop"),
            ("https://GIT.example.com:443/alice/shop/", "git.example.com", 443, "alice", "shop"),
            ("HTTPS://git.example.com:8443/group/sub/shop", "git.example.com", 8443, "sub", "shop"),
            ("http://10.99.0.1:3000/alice/shop.git", "10.99.0.1", 3000, "alice", "shop"),
            ("https://[2001:db8::1]:8443/alice/shop", "[2001:db8::1]", 8443, "alice", "shop"),
            ("ssh://git@git.example.com/alice/shop.git", "git.example.com", 22, "alice", "shop"),
            ("ssh://git.example.com:2222/alice/shop", "git.example.com", 2222, "alice", "shop"),
            ("git@GIT.example.com:alice/shop.git", "git.example.com", 22, "alice", "shop"),
        ])
    func parts(text: String, host: String, port: Int, owner: String, repository: String) throws {
        let url = try GitURL(text, allowsPlainHTTP: true)

        #expect(url.host == host)
        #expect(Int(url.effectivePort) == port)
        #expect(url.owner == owner)
        #expect(url.repository == repository)
    }

    @Test(
        "of SSH is handed to git as it was meant",
        arguments: [
            ("ssh://git@git.example.com:22/alice/shop.git", "ssh://git@git.example.com/alice/shop.git"),
            ("ssh://git@[2001:db8::1]:2222/shop/", "ssh://git@[2001:db8::1]:2222/shop"),
            ("git@git.example.com:alice/shop.git", "git@git.example.com:alice/shop.git"),
            ("SSH://git.example.com/~alice/shop", "ssh://git.example.com/~alice/shop"),
        ])
    func secureShell(text: String, meant: String) throws {
        let url = try GitURL(text, allowsPlainHTTP: false)

        #expect(url.description == meant)
        #expect(url.scheme == "ssh")
    }

    @Test(
        "that could mean something else is refused",
        arguments: [
            "", "https://", "https:///a/b", "https://host", "https://host/", "git@host:", "git@:a/b",
            "git@host", "host:a/b", "-oProxyCommand=id@host:a/b", "git@-host:a/b", "git@host:-a/b", "git@host:a/../b",
            "git:pass@host:a/b", "ssh://git:user:pass@host/a/b", "ssh://-oProxyCommand=id/a/b", "ssh://a b@host/c",
            "ssh://git@host", "ssh://git@host/a?b", "git@host:2222:a/b", "git@host:a@b/c",
            "file:///etc", "ext::sh -c id", "https://user@host/a/b", "https://user:pass@host/a/b", "--upload-pack=x",
            "https://host/a/b?x=1", "https://host/a/b#c", "https://host/a b", "https://host/a\nb", "https://ho st/a",
            "https://host:0/a/b", "https://host:99999/a/b", "https://host/a/../b", "https://host//b",
            "https://-host/a/b", "https://host\\@other/a/b", "https://hößt/a/b", "http://host/a/b",
        ])
    func refused(text: String) {
        let failure = #expect(throws: BuildFailure.self) { try GitURL(text, allowsPlainHTTP: false) }

        #expect(failure?.reason == .invalid)
        #expect(failure?.message.contains("user:pass") == false)
    }

    @Test(
        "has branch names judged as Git judges them",
        arguments: [
            ("main", true), ("feature/x", true), ("v1.2", true), ("grün", true), ("", false), ("-x", false),
            ("a..b", false), ("a b", false), ("a~1", false), ("a.lock", false), (".a", false), ("a/.b", false),
            ("a//b", false), ("a/", false), ("@", false), ("a@{1}", false), ("a\u{1}", false), ("a\\b", false),
            (String(repeating: "a", count: 245), false),
        ])
    func branches(name: String, isBranch: Bool) {
        #expect(GitRevision.isBranch(name) == isBranch)
    }
}
