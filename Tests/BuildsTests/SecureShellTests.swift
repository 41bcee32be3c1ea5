import CRDs
import Cryptography
import Glibc
import Testing

@testable import Builds

@Suite(
    "A checkout over SSH",
    .enabled(if: SecureShellHost.isInstalled, "Debian's openssh-server is not installed; hack/test installs it"))
struct SecureShellTests {
    private func configuration(_ folder: TestFolder) -> GitConfiguration {
        var configuration = GitConfiguration()
        configuration.scratchFolder = folder.path
        configuration.allowsPrivateAddresses = true
        configuration.checkoutTimeout = .seconds(120)
        configuration.headTimeout = .seconds(120)
        configuration.stallTimeout = .seconds(120)
        return configuration
    }

    private func failure(_ body: () async throws -> Void) async -> BuildFailure? {
        do {
            try await body()
            return nil
        } catch {
            return error as? BuildFailure
        }
    }

    @Test("brings the commit with the right key from the right host, and leaves nothing behind")
    func checkout() async throws {
        try await SecureShellHost.with { host in
            let commit = try await host.repository("shop.git")
            let scratch = try TestFolder()
            let checkout = GitCheckout(configuration: configuration(scratch))
            let url = try GitURL(host.url("shop.git"), allowsPlainHTTP: false)
            let credentials = GitCredentials.ssh(privateKey: host.privateKey, knownHosts: host.knownHosts)

            let head = try await checkout.head(of: "main", url: url, credentials: credentials)
            let (text, files) = try await checkout.withTree(
                commit: commit, branch: "main", url: url, credentials: credentials
            ) { tree in
                let entry = try #require(tree.entry(at: "answer"))
                let text = String(decoding: try await tree.read(entry, bytesMaximum: 100), as: UTF8.self)
                return (text, try Self.filesHolding("PRIVATE KEY", below: scratch.path))
            }

            #expect(head == commit)
            #expect(text == "one")
            #expect(files.isEmpty, "the key is gone before the commit is looked at")
            #expect(scratch.names.isEmpty)
        }
    }

    @Test("takes a key whose line ends were lost on the way into the Secret")
    func lineEnds() async throws {
        try await SecureShellHost.with { host in
            let commit = try await host.repository("shop.git")
            let scratch = try TestFolder()
            let url = try GitURL(host.url("shop.git"), allowsPlainHTTP: false)
            let key = host.privateKey.split(separator: "\n").joined(separator: "\r\n")

            let head = try await GitCheckout(configuration: configuration(scratch)).head(
                of: "main", url: url, credentials: .ssh(privateKey: key, knownHosts: host.knownHosts))

            #expect(head == commit)
        }
    }

    @Test("is refused with a reason, and shows no key")
    func refusals() async throws {
        try await SecureShellHost.with { host in
            _ = try await host.repository("shop.git")
            let scratch = try TestFolder()
            let checkout = GitCheckout(configuration: configuration(scratch))
            func ask(_ path: String, _ credentials: GitCredentials?) async -> BuildFailure? {
                await failure {
                    let url = try GitURL(host.url(path), allowsPlainHTTP: false)
                    _ = try await checkout.head(of: "main", url: url, credentials: credentials)
                }
            }
            let good = host.privateKey

            let unknown = await ask("shop.git", .ssh(privateKey: good, knownHosts: ""))
            let changed = await ask("shop.git", .ssh(privateKey: good, knownHosts: host.wrongKnownHosts))
            let stranger = await ask("shop.git", .ssh(privateKey: host.strangersKey, knownHosts: host.knownHosts))
            let noKey = await ask("shop.git", .ssh(privateKey: "hunter2hunter2", knownHosts: host.knownHosts))
            let missing = await ask("gone.git", .ssh(privateKey: good, knownHosts: host.knownHosts))
            let none = await ask("shop.git", nil)
            let password = await ask("shop.git", .basic(username: "a", password: "hunter2"))

            #expect(unknown?.reason == .gitAuthFailed)
            #expect(unknown?.message.contains("known_hosts") == true)
            #expect(changed?.reason == .gitAuthFailed)
            #expect(changed?.message.contains("another host key") == true, "\(String(describing: changed))")
            #expect(stranger?.reason == .gitAuthFailed)
            #expect(noKey?.reason == .gitAuthFailed)
            #expect(noKey?.message.contains("hunter2") == false)
            #expect(missing?.reason == .gitRepositoryNotFound, "\(String(describing: missing))")
            #expect(none?.reason == .credentialsMissing)
            #expect(password?.reason == .credentialsMissing)
            #expect(scratch.names.isEmpty)
        }
    }

    @Test("refuses private addresses unless they are allowed, and reads no configuration of the machine")
    func confinement() async throws {
        let scratch = try TestFolder()
        var configuration = configuration(scratch)
        configuration.allowsPrivateAddresses = false
        let checkout = GitCheckout(configuration: configuration)
        let url = try GitURL("git@localhost:alice/shop.git", allowsPlainHTTP: false)
        let credentials = GitCredentials.ssh(privateKey: "key", knownHosts: "")

        let failure = await failure { _ = try await checkout.head(of: "main", url: url, credentials: credentials) }
        let command = GitCommand(
            configuration: configuration, url: url, credentials: credentials, addresses: ["192.0.2.7"])
        try command.prepare(in: scratch.path)
        let child = command.child(["ls-remote"], in: scratch.path, timeout: .seconds(1))
        let settings = String(
            decoding: try Vectors.read(scratch.path + "/farebox_ssh_config"), as: UTF8.self)

        #expect(failure?.reason == .gitAddressRefused)
        #expect(child.environment["GIT_SSH_COMMAND"] == "'/usr/bin/ssh' -F '\(scratch.path)/farebox_ssh_config'")
        #expect(child.environment["GIT_ALLOW_PROTOCOL"] == "ssh")
        for line in [
            "HostName 192.0.2.7", "HostKeyAlias localhost", "StrictHostKeyChecking yes", "IdentityAgent none",
            "BatchMode yes", "ProxyCommand none",
        ] {
            #expect(settings.contains("    " + line + "\n"))
        }
        #expect(!"\(credentials)".contains("key"))
    }

    @Test("An SSH key for an https address is a wrong Secret, not an anonymous checkout")
    func keyForHTTPS() async throws {
        let scratch = try TestFolder()
        var configuration = configuration(scratch)
        configuration.allowsPlainHTTP = true
        let url = try GitURL("http://127.0.0.1:9/alice/shop", allowsPlainHTTP: true)

        let failure = await failure {
            _ = try await GitCheckout(configuration: configuration).head(
                of: "main", url: url, credentials: .ssh(privateKey: "k", knownHosts: ""))
        }

        #expect(failure?.reason == .credentialsMissing)
    }

    @Test("Built-in host keys have the fingerprints that the hosts publish")
    func fingerprints() throws {
        let published = [
            "+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU=", "p2QAMXNIC1TJYWeIOttrVc98/R1BUFWu3/LiyKgUfQM=",
            "eUXGGm1YGsMAS7vkcx6JOJdOGHPem5gQp4taiCfCLB8=", "HbW3g8zUjNSksFbqTiUWPWg2Bq1x8xdGUrliXFzSnUw=",
        ]

        let computed = try WellKnownHosts.keys.map {
            Base64.encode(SHA256.hash(of: try #require(Base64.decode($0.key))).bytes)
        }

        #expect(computed == published)
    }

    /// The files below a folder that hold a text, folders within it included.
    private static func filesHolding(_ text: String, below folder: String) throws -> [String] {
        var found: [String] = []
        guard let handle = opendir(folder) else { return [] }
        defer { closedir(handle) }
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name != ".", name != ".." else { continue }
            let path = folder + "/" + name
            if entry.pointee.d_type == UInt8(DT_DIR) {
                found += try filesHolding(text, below: path)
            } else if String(decoding: try Vectors.read(path), as: UTF8.self).contains(text) {
                found.append(path)
            }
        }
        return found
    }
}
