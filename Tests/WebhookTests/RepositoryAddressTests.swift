import Testing

@testable import Webhook

@Suite("The address that tells two repositories apart")
struct RepositoryAddressTests {
    @Test(
        "Every way to write one repository is the same address",
        arguments: [
            "https://github.com/alice/hello", "https://github.com/alice/hello.git", "https://github.com/alice/hello/",
            "https://GitHub.com/Alice/Hello.git", "https://github.com:443/alice/hello.git",
            "http://github.com/alice/hello", "git@github.com:alice/hello.git",
            "ssh://git@github.com:22/alice/hello.git",
            "git://github.com/alice/hello.git", "https://token@github.com/alice/hello.git",
        ])
    func equalAddresses(url: String) {
        let address = RepositoryAddress(url)

        #expect(address == RepositoryAddress("https://github.com/alice/hello"))
    }

    @Test(
        "Another host, port, owner or name is another address",
        arguments: [
            "https://github.com.evil.example/alice/hello", "https://github.com:8443/alice/hello",
            "https://github.com/alice/hello2", "https://github.com/alic/ehello", "https://github.com/hello",
        ])
    func differentAddresses(url: String) {
        let address = RepositoryAddress(url)

        #expect(address != RepositoryAddress("https://github.com/alice/hello"))
    }

    @Test(
        "What has no host or no path is no address",
        arguments: ["", "/", "https://", "https://host", "https://host/", ":x", "x"])
    func noAddress(url: String) {
        #expect(RepositoryAddress(url) == nil)
    }
}
