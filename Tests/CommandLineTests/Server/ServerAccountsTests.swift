import Commands
import Glibc
import Testing

@testable import CommandLine

@Suite("Servers that somebody logged in to")
struct ServerAccountsTests {
    @Test(
        "An address has one spelling, and FaaSO's is understood",
        arguments: [
            ("https://faas.example.com", "https://faas.example.com"),
            ("HTTPS://Faas.Example.com/", "https://faas.example.com"),
            ("http://127.0.0.1:8888/admin/", "http://127.0.0.1:8888"), ("http://h/Path//", "http://h/Path"),
            ("http://h/x/admin", "http://h/x"), ("https://[::1]:8443", "https://[::1]:8443"),
        ])
    func addresses(text: String, url: String) throws {
        #expect(try ServerAddress(text).url == url)
    }

    @Test(
        "What is no address is refused, and so is one with a password in it",
        arguments: [
            "", "faas.example.com", "ftp://h", "https://", "https:///x", "https://admin:word@h", "https://h/?a=b",
            "https://h/#a",
            "https://h /", "https://h\n", "https://é", "https://" + String(repeating: "h", count: 3000),
        ])
    func badAddresses(text: String) {
        #expect(throws: UsageError.self) { try ServerAddress(text) }
    }

    @Test("Only plain http to another machine can be read on the way")
    func eavesdroppers() throws {
        #expect(try ServerAddress("http://faas.example.com").isOpenToEavesdroppers)
        #expect(try !ServerAddress("https://faas.example.com").isOpenToEavesdroppers)
        #expect(try !ServerAddress("http://127.0.0.1:8080").isOpenToEavesdroppers)
    }

    @Test("Credentials that would end a header field or mean another name are refused")
    func credentials() throws {
        #expect(try ServerCredentials(name: "admin", password: "a:b c").field == "Basic YWRtaW46YTpiIGM=")
        #expect(try ServerCredentials(token: "abc").field == "Bearer abc")
        #expect(throws: UsageError.self) { try ServerCredentials(name: "a:b", password: "x") }
        #expect(throws: UsageError.self) { try ServerCredentials(name: "", password: "x") }
        #expect(throws: UsageError.self) { try ServerCredentials(name: "a", password: "x\r\nHost: h") }
        for token in ["", "a b", "a\nb", String(repeating: "a", count: 40_000)] {
            #expect(throws: UsageError.self) { try ServerCredentials(token: token) }
        }
    }

    @Test("What was logged in to is read back, the last one first")
    func roundTrip() throws {
        var accounts = ServerAccounts()
        var account = ServerAccount(try ServerCredentials(name: "admin", password: "x\"y"))
        account.authorities = "-----BEGIN CERTIFICATE-----\n"
        account.builder = "https://builds"
        account.payloadSecret = "/home/alice/payload.txt"
        account.registry = "r/alice"
        accounts.logIn(try ServerAddress("https://a"), account)
        accounts.logIn(try ServerAddress("https://b"), ServerAccount(try ServerCredentials(token: "t")))

        var read = try ServerAccounts(accounts.bytes)

        #expect(read == accounts)
        #expect(read.current?.url == "https://b")
        let (first, second) = (read.logOut(try ServerAddress("https://b")), read.logOut(try ServerAddress("https://b")))
        #expect(first && !second)
        #expect(read.current == nil)
        #expect(read.entries.count == 1)
    }

    @Test(
        "A file that is none is refused without showing what stands in it",
        arguments: [
            "", "[]", "{", #"{"servers":1}"#, #"{"servers":{"nowhere":{"token":"hunter2"}}}"#,
            #"{"servers":{"https://a":{"word":"hunter2"}}}"#, #"{"servers":{"https://a":{"token":"hunter 2"}}}"#,
        ])
    func badFiles(text: String) {
        let error = #expect(throws: UsageError.self) { try ServerAccounts(Array(text.utf8)) }

        #expect(error?.description.contains("hunter") == false)
    }

    @Test("The file and its folder are its owner's alone, and is replaced as a whole")
    func file() async throws {
        let place = try ScratchPlace()
        let file = try AccountsFile(RecordedConsole(variables: ["HOME": place.path]).console)
        var accounts = ServerAccounts()
        accounts.logIn(try ServerAddress("https://a"), ServerAccount(try ServerCredentials(token: "t")))

        let before = try await file.read()
        try await file.write(accounts)
        try await file.write(accounts)
        let after = try await file.read()

        #expect(before == ServerAccounts())
        #expect(after == accounts)
        #expect(file.path == place.path + "/.config/farebox/servers.json")
        #expect(mode(file.path) == 0o600)
        #expect(mode(place.path + "/.config/farebox") == 0o700)
    }

    @Test("A place for it is where the desktop's rules say, and a relative one counts as none")
    func places() throws {
        let given = RecordedConsole(variables: ["HOME": "/h", "XDG_CONFIG_HOME": "/x"]).console
        let relative = RecordedConsole(variables: ["HOME": "/h", "XDG_CONFIG_HOME": "x"]).console

        #expect(try AccountsFile(given).path == "/x/farebox/servers.json")
        #expect(try AccountsFile(relative).path == "/h/.config/farebox/servers.json")
        #expect(throws: CommandFailure.self) { try AccountsFile(RecordedConsole().console) }
    }

    private func mode(_ path: String) -> mode_t {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o777 : 0
    }
}
