import CRDs
import Glibc
import Testing

@testable import Builds

@Suite("A checkout")
struct GitCheckoutTests {
    private func configuration(_ folder: TestFolder) -> GitConfiguration {
        var configuration = GitConfiguration()
        configuration.scratchFolder = folder.path
        configuration.allowsPlainHTTP = true
        configuration.allowsPrivateAddresses = true
        // Far longer than a busy machine takes to start the programs of both sides.
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

    @Test("brings exactly the commit that was asked for, not the branch's head", arguments: [[], ["--branches-only"]])
    func exactCommit(options: [String]) async throws {
        try await GitHost.with(options) { host in
            let old = try await host.commit { try $0.write("one", to: "work/answer") }
            try await host.commit { try $0.write("two", to: "work/answer") }
            let scratch = try TestFolder()
            let checkout = GitCheckout(configuration: configuration(scratch))
            let url = try GitURL(host.url, allowsPlainHTTP: true)

            let text = try await checkout.withTree(commit: old, branch: "main", url: url, credentials: nil) { tree in
                let entry = try #require(tree.entry(at: "answer"))
                return String(decoding: try await tree.read(entry, bytesMaximum: 100), as: UTF8.self)
            }

            #expect(text == "one")
            #expect(scratch.names.isEmpty, "what was fetched is removed")
        }
    }

    @Test("tells the commit's message")
    func message() async throws {
        try await GitHost.with { host in
            let commit = try await host.commit { try $0.write("one", to: "work/answer") }
            let scratch = try TestFolder()
            let url = try GitURL(host.url, allowsPlainHTTP: true)

            let message = try await GitCheckout(configuration: configuration(scratch)).withTree(
                commit: commit, branch: "main", url: url, credentials: nil
            ) { try await $0.message() }

            #expect(message == "change\n")
        }
    }

    @Test(
        "of a commit that does not exist fails with GitRevisionNotFound",
        arguments: [[], ["--branches-only"]],
        [String(repeating: "1", count: 40), String(repeating: "0", count: 40), "main", "--help", ""])
    func missingCommit(options: [String], commit: String) async throws {
        try await GitHost.with(options) { host in
            try await host.commit { try $0.write("one", to: "work/answer") }
            let scratch = try TestFolder()
            let checkout = GitCheckout(configuration: configuration(scratch))
            let url = try GitURL(host.url, allowsPlainHTTP: true)

            let failure = await failure {
                try await checkout.withTree(commit: commit, branch: "main", url: url, credentials: nil) { _ in }
            }

            #expect(failure?.reason == .gitRevisionNotFound)
            #expect(scratch.names.isEmpty)
        }
    }

    @Test("tells links, programs, submodules and files apart and follows none of them")
    func kinds() async throws {
        try await GitHost.with { host in
            let commit = try await host.commit { folder in
                try folder.write("plain", to: "work/fn/a")
                try folder.write("#!/bin/sh", to: "work/fn/run")
                chmod(folder.path + "/work/fn/run", 0o755)
                symlink("/etc/passwd", folder.path + "/work/fn/leak")
                try await host.work(["add", "-A"])
                try await host.work(["commit", "--quiet", "-m", "first"])
                let head = try await host.head()
                try await host.work(["update-index", "--add", "--cacheinfo", "160000,\(head),fn/sub"])
                mkdir(folder.path + "/work/fn/sub", 0o755)
                try await host.work(["commit", "--quiet", "-m", "submodule"])
            }
            let scratch = try TestFolder()
            let url = try GitURL(host.url, allowsPlainHTTP: true)

            let entries = try await GitCheckout(configuration: configuration(scratch)).withTree(
                commit: commit, branch: "main", url: url, credentials: nil
            ) { $0.entries }

            #expect(entries.map(\.path) == ["fn/a", "fn/leak", "fn/run", "fn/sub"])
            #expect(entries.map(\.kind) == [.file, .link, .executable, .submodule])
            #expect(entries[1].sizeBytes == "/etc/passwd".utf8.count)
        }
    }

    @Test("of many files hands out each content")
    func contents() async throws {
        try await GitHost.with { host in
            let big = [UInt8](repeating: 7, count: 3 << 20)
            let commit = try await host.commit { folder in
                try folder.write("one", to: "work/a")
                try folder.write("one", to: "work/copy of a")
                try folder.write("", to: "work/empty")
                try folder.write(big, to: "work/big")
            }
            let scratch = try TestFolder()
            let url = try GitURL(host.url, allowsPlainHTTP: true)

            let sizes = try await GitCheckout(configuration: configuration(scratch)).withTree(
                commit: commit, branch: "main", url: url, credentials: nil
            ) { tree in
                let contents = try await tree.open(tree.entries)
                return try tree.entries.map { entry in
                    var bytes: [UInt8] = []
                    try contents.forEachPiece(of: entry) { bytes += $0 }
                    if entry.path == "big" { #expect(bytes == big) }
                    return bytes.count
                }
            }

            #expect(sizes == [3, 3 << 20, 3, 0])
        }
    }

    @Test("hands out no pointer of Git LFS in the place of a file, and leaves what only looks like one alone")
    func largeFileStorage() async throws {
        let digest = String(repeating: "a", count: 64)
        let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:\(digest)\nsize 12\n"
        try await GitHost.with { host in
            let commit = try await host.commit { folder in
                try folder.write(pointer, to: "work/model.bin")
                try folder.write("# " + pointer, to: "work/notes.md")
                try folder.write(pointer + String(repeating: "x", count: 1024), to: "work/long")
                try folder.write("version https://git-lfs.github.com/spec/v1\n", to: "work/short")
            }
            let scratch = try TestFolder()
            let url = try GitURL(host.url, allowsPlainHTTP: true)

            let failures = try await GitCheckout(configuration: configuration(scratch)).withTree(
                commit: commit, branch: "main", url: url, credentials: nil
            ) { tree in
                let contents = try await tree.open(tree.entries)
                return tree.entries.map { entry in
                    do {
                        try contents.forEachPiece(of: entry) { _ in }
                        return ""
                    } catch {
                        return "\(error)"
                    }
                }
            }

            #expect(failures.map(\.isEmpty) == [true, false, true, true])
            #expect(failures[1].hasPrefix("ContextInvalid: model.bin is a pointer of Git LFS"))
        }
    }

    @Test("stops at each limit with SourceTooLarge", arguments: ["files", "bytes", "path", "received"])
    func limits(which: String) async throws {
        try await GitHost.with { host in
            let noise = (0..<(2 << 20)).map { _ in UInt8.random(in: 0...255) }
            let commit = try await host.commit { folder in
                for index in 0..<5 { try folder.write("\(index)", to: "work/\(index)") }
                try folder.write("x", to: "work/" + String(repeating: "a", count: 100))
                try folder.write(noise, to: "work/noise")
            }
            let scratch = try TestFolder()
            var configuration = configuration(scratch)
            switch which {
            case "files": configuration.filesMaximum = 4
            case "bytes": configuration.filesBytesMaximum = 1 << 20
            case "path": configuration.pathBytesMaximum = 99
            default: configuration.receivedBytesMaximum = 1 << 20
            }
            let checkout = GitCheckout(configuration: configuration)
            let url = try GitURL(host.url, allowsPlainHTTP: true)

            let failure = await failure {
                try await checkout.withTree(commit: commit, branch: "main", url: url, credentials: nil) { _ in }
            }

            #expect(failure?.reason == .sourceTooLarge, "\(failure?.message ?? "no failure")")
            #expect(scratch.names.isEmpty)
        }
    }

    @Test("of a private repository needs the right password and never shows it")
    func privateRepository() async throws {
        try await GitHost.with(["--user", "bob:s3cret-t0ken"]) { host in
            let commit = try await host.commit { try $0.write("one", to: "work/answer") }
            let scratch = try TestFolder()
            let checkout = GitCheckout(configuration: configuration(scratch))
            let url = try GitURL(host.url, allowsPlainHTTP: true)

            let good = try await checkout.withTree(
                commit: commit, branch: "main", url: url,
                credentials: .basic(username: "bob", password: "s3cret-t0ken")
            ) { $0.entries.count }
            let none = await failure { _ = try await checkout.head(of: "main", url: url, credentials: nil) }
            let wrong = await failure {
                _ = try await checkout.head(
                    of: "main", url: url, credentials: .basic(username: "bob", password: "wr0ng-t0ken"))
            }

            #expect(good == 1)
            #expect(none?.reason == .gitAuthFailed)
            #expect(wrong?.reason == .gitAuthFailed)
            #expect(wrong?.message.contains("wr0ng") == false)
        }
    }

    @Test("asks for the head of a branch, and says when there is no such branch or repository")
    func heads() async throws {
        try await GitHost.with { host in
            let commit = try await host.commit { try $0.write("one", to: "work/answer") }
            let scratch = try TestFolder()
            let checkout = GitCheckout(configuration: configuration(scratch))
            let url = try GitURL(host.url, allowsPlainHTTP: true)
            let other = try GitURL("http://127.0.0.1:\(host.port)/alice/other.git", allowsPlainHTTP: true)

            let head = try await checkout.head(of: "main", url: url, credentials: nil)
            let branch = await failure { _ = try await checkout.head(of: "gone", url: url, credentials: nil) }
            let repository = await failure { _ = try await checkout.head(of: "main", url: other, credentials: nil) }

            #expect(head == commit)
            #expect(branch?.reason == .gitBranchNotFound)
            #expect(repository?.reason == .gitRepositoryNotFound)
        }
    }

    @Test("from a server that never answers ends in time")
    func hangingServer() async throws {
        let silent = try Loopback.silentListener()
        defer { close(silent.descriptor) }
        let scratch = try TestFolder()
        var configuration = configuration(scratch)
        configuration.checkoutTimeout = .milliseconds(500)
        let url = try GitURL("http://127.0.0.1:\(silent.port)/a/b", allowsPlainHTTP: true)
        let start = ContinuousClock.now

        let failure = await failure {
            try await GitCheckout(configuration: configuration).withTree(
                commit: String(repeating: "1", count: 40), branch: "main", url: url, credentials: nil
            ) { _ in }
        }

        #expect(failure?.reason == .gitUnreachable)
        #expect(ContinuousClock.now - start < .seconds(100), "far from git's own limit, on a busy machine too")
        #expect(scratch.names.isEmpty)
    }

    @Test("that is cancelled stops at once and cleans up")
    func cancellation() async throws {
        let silent = try Loopback.silentListener()
        defer { close(silent.descriptor) }
        let scratch = try TestFolder()
        let checkout = GitCheckout(configuration: configuration(scratch))
        let url = try GitURL("http://127.0.0.1:\(silent.port)/a/b", allowsPlainHTTP: true)

        let task = Task {
            try await checkout.withTree(
                commit: String(repeating: "1", count: 40), branch: "main", url: url, credentials: nil
            ) { _ in }
        }
        task.cancel()

        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(scratch.names.isEmpty)
    }

    @Test(
        "refuses hosts with private addresses unless they are allowed", arguments: ["127.0.0.1", "localhost", "[::1]"])
    func privateAddress(host: String) async throws {
        let scratch = try TestFolder()
        var configuration = configuration(scratch)
        configuration.allowsPrivateAddresses = false
        let checkout = GitCheckout(configuration: configuration)
        let url = try GitURL("http://\(host):1/a/b", allowsPlainHTTP: true)

        let failure = await failure { _ = try await checkout.head(of: "main", url: url, credentials: nil) }

        #expect(failure?.reason == .gitAddressRefused)
    }
}
