import Cryptography
import Glibc
import HTTP
import Testing

@testable import AdminService

@Suite("Who is let in")
struct AccessTests {
    private static func basic(_ text: String) -> String { "Basic " + Base64.encode(Array(text.utf8)) }

    @Test(
        "The field Authorization is read strictly",
        arguments: [
            (basic("admin:secret"), .basic(user: Array("admin".utf8), password: Array("secret".utf8))),
            ("basic " + Base64.encode(Array("a:b:c".utf8)), .basic(user: [0x61], password: Array("b:c".utf8))),
            (basic(":"), .basic(user: [], password: [])),
            ("Bearer abc", .bearer("abc")), ("BEARER  abc", .bearer("abc")), ("Bearer ", .none), ("Bearer", .none),
            ("Basic", .none), ("Basic !!!", .none), (basic("nocolon"), .none), ("Digest x", .none), ("", .none),
        ] as [(String, AuthorizationField)])
    func field(value: String, expected: AuthorizationField) {
        #expect(AuthorizationField(HTTPHeaders([("Authorization", value)])) == expected)
    }

    @Test("A field that is there twice says nothing")
    func twice() {
        let headers = HTTPHeaders([("Authorization", "Bearer a"), ("authorization", "Bearer b")])

        #expect(AuthorizationField(headers) == .none)
        #expect(AuthorizationField(HTTPHeaders()) == .none)
    }

    @Test("Only the name and the password of the files are good, and a new password counts soon")
    func credentials() throws {
        let folder = try CredentialsFolder(user: " admin\n", password: "correct-horse-battery\n")
        let credentials = BasicCredentials(folder: folder.path, lifetime: .zero)
        func admits(_ user: String, _ password: String) -> Bool {
            credentials.admits(user: Array(user.utf8), password: Array(password.utf8))
        }

        #expect(admits("admin", "correct-horse-battery"))
        for (user, password) in [
            ("admin", "correct-horse-batterz"), ("admin", ""), ("", "correct-horse-battery"), ("", ""),
            ("Admin", "correct-horse-battery"), ("admin", "correct-horse-battery\n"),
        ] {
            #expect(!admits(user, password))
        }
        try folder.write(password: "another-long-password")
        #expect(!admits("admin", "correct-horse-battery"))
        #expect(admits("admin", "another-long-password"))
    }

    @Test(
        "Without files, or with a password that could be guessed, nobody is let in",
        arguments: [nil, "", "short", " \n"])
    func noCredentials(password: String?) throws {
        let folder = try CredentialsFolder(user: password == nil ? nil : "admin", password: password)
        let credentials = BasicCredentials(folder: folder.path)

        #expect(!credentials.isSetUp)
        #expect(!credentials.admits(user: Array("admin".utf8), password: Array((password ?? "").utf8)))
        #expect(!credentials.admits(user: [], password: []))
    }

    @Test("An address that fails too often has to rest, and others do not")
    func failures() {
        let limit = FailureLimit()
        let start = ContinuousClock.now

        for _ in 0..<FailureLimit.burst { #expect(limit.note("10.0.0.1", at: start) == nil) }

        #expect(limit.note("10.0.0.1", at: start) == FailureLimit.interval)
        #expect(limit.rest(of: "10.0.0.1", at: start) == FailureLimit.interval)
        #expect(limit.rest(of: "10.0.0.2", at: start) == nil)
        #expect(limit.rest(of: "10.0.0.1", at: start + FailureLimit.interval) == nil)
        for number in 0..<20_000 { _ = limit.note("address \(number)", at: start) }
        #expect(limit.note("address 1", at: start) == nil, "memory is bounded, whatever is forgotten")
    }

    @Test(
        "What a page of another site makes a browser send is found out",
        arguments: [
            ("POST", [("Sec-Fetch-Site", "cross-site")], true), ("POST", [("Sec-Fetch-Site", "same-site")], true),
            ("POST", [("Sec-Fetch-Site", "same-origin")], false), ("POST", [("Sec-Fetch-Site", "none")], false),
            ("GET", [("Sec-Fetch-Site", "cross-site")], false), ("DELETE", [("Origin", "https://evil.example")], true),
            ("PUT", [("Origin", "null")], true), ("PUT", [("Origin", "https://Admin.example:8085")], false),
            ("PUT", [], false),
        ] as [(String, [(String, String)], Bool)])
    func crossSite(method: String, headers: [(String, String)], expected: Bool) {
        let request = HTTPRequest(
            method: HTTPMethod(rawValue: method), target: "/system/functions",
            headers: HTTPHeaders([("Host", "admin.example:8085")] + headers), remoteAddress: "10.0.0.1", requestID: "1")

        #expect(CrossSite.isForged(request) == expected)
    }

    @Test(
        "Where the gateway is",
        arguments: [
            ("http://farebox-gateway.farebox-system", "farebox-gateway.farebox-system", 80),
            ("http://127.0.0.1:8080/", "127.0.0.1", 8080), ("http://[fd00::7]:81", "fd00::7", 81),
            ("http://[::1]", "::1", 80),
        ] as [(String, String, UInt16)])
    func gateway(url: String, host: String, port: UInt16) throws {
        let address = try #require(GatewayAddress(url))

        #expect(address.host == host)
        #expect(address.port == port)
    }

    @Test(
        "An address that is none is refused",
        arguments: [
            "", "gateway", "https://gateway", "http://", "http://gateway:0", "http://gateway:x", "http://gateway:70000",
            "http://gateway/path", "http://user@gateway", "http://[gateway]", "http://a b",
        ])
    func noGateway(url: String) {
        #expect(GatewayAddress(url) == nil)
    }
}

/// A folder as the Secret's mount makes it.
final class CredentialsFolder: Sendable {
    let path: String

    init(user: String?, password: String?) throws {
        path = "/tmp/farebox-test-" + Hex.encode(randomBytes(8))
        try #require(mkdir(path, 0o700) == 0)
        if let user { try write(user, to: BasicCredentials.userFile) }
        if let password { try write(password: password) }
    }

    deinit {
        unlink(path + "/" + BasicCredentials.userFile)
        unlink(path + "/" + BasicCredentials.passwordFile)
        rmdir(path)
    }

    func write(password: String) throws { try write(password, to: BasicCredentials.passwordFile) }

    private func write(_ text: String, to name: String) throws {
        let file = try #require(fopen(path + "/" + name, "w"))
        defer { fclose(file) }
        #expect(fputs(text, file) >= 0)
    }
}
