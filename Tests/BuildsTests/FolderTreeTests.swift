import CRDs
import Glibc
import Testing

@testable import Builds

@Suite("A folder on disk as a tree of source")
struct FolderTreeTests {
    @Test("Files, programs and links are found in the order of their paths' bytes, and Git's own folder is not")
    func entries() async throws {
        let folder = try TestFolder()
        try folder.write("1\n", to: "fn/a-b.txt")
        try folder.write("22\n", to: "fn/a/b.txt")
        try folder.write("x", to: ".hidden")
        try folder.write("x", to: ".git/config")
        try folder.write("gitdir: ../..", to: "fn/module/.git")
        try folder.write("#!/bin/sh\n", to: "run.sh")
        chmod(folder.path + "/run.sh", 0o755)
        symlink("run.sh", folder.path + "/link")

        let tree = try await FolderTree.read(folder.path)

        #expect(tree.entries.map(\.path) == [".hidden", "fn/a-b.txt", "fn/a/b.txt", "link", "run.sh"])
        #expect(tree.entries.map(\.kind) == [.file, .file, .file, .link, .executable])
        let entry = try #require(tree.entry(at: "fn/a/b.txt"))
        #expect(try await tree.read(entry, bytesMaximum: 100) == Array("22\n".utf8))
        let link = try #require(tree.entry(at: "link"))
        #expect(try await tree.read(link, bytesMaximum: 100) == Array("run.sh".utf8))
    }

    @Test("Links are followed where that is asked for, and one that leads nowhere is named")
    func links() async throws {
        let folder = try TestFolder()
        try folder.write("1\n", to: "shared/one.txt")
        mkdir(folder.path + "/fn", 0o755)
        symlink("../shared", folder.path + "/fn/shared")

        let tree = try await FolderTree.read(folder.path, followsLinks: true)

        let entry = try #require(tree.entry(at: "fn/shared/one.txt"))
        #expect(try await tree.read(entry, bytesMaximum: 100) == Array("1\n".utf8))
        symlink("nowhere", folder.path + "/fn/broken")
        let failure = await #expect(throws: BuildFailure.self) {
            try await FolderTree.read(folder.path, followsLinks: true)
        }
        #expect(failure?.message.contains("fn/broken cannot be read") == true)
    }

    @Test("A link into the folder above itself ends at the limit of depth")
    func cycle() async throws {
        let folder = try TestFolder()
        try folder.write("1\n", to: "a/one.txt")
        symlink("..", folder.path + "/a/up")

        let failure = await #expect(throws: BuildFailure.self) {
            try await FolderTree.read(folder.path, followsLinks: true)
        }

        #expect(failure?.reason == .sourceTooLarge)
    }

    @Test("A folder with more files than may be is refused, and what is left out does not count")
    func limits() async throws {
        let folder = try TestFolder()
        for number in 0..<4 { try folder.write("", to: "build/\(number)") }
        try folder.write("", to: "one")
        var limits = FolderTree.Limits()
        limits.filesMaximum = 2

        let failure = await #expect(throws: BuildFailure.self) {
            try await FolderTree.read(folder.path, limits: limits)
        }
        let tree = try await FolderTree.read(folder.path, limits: limits) { $0 == "build" }

        #expect(failure?.reason == .sourceTooLarge)
        #expect(tree.entries.map(\.path) == ["one"])
    }

    @Test("A file that grew or shrank since it was found is a failure", arguments: ["", "longer than before"])
    func changed(text: String) async throws {
        let folder = try TestFolder()
        try folder.write("before", to: "file")
        let tree = try await FolderTree.read(folder.path)
        try folder.write(text, to: "file")

        let failure = await #expect(throws: BuildFailure.self) {
            try await tree.read(tree.entries[0], bytesMaximum: 100)
        }

        #expect(failure?.message.contains("changed while it was read") == true)
    }

    @Test("A folder that is not there, and a pipe in the place of a file")
    func odd() async throws {
        let folder = try TestFolder()
        mkfifo(folder.path + "/pipe", 0o600)

        #expect(try await FolderTree.read(folder.path).entries.isEmpty)
        await #expect(throws: BuildFailure.self) { try await FolderTree.read(folder.path + "/none") }
    }
}
