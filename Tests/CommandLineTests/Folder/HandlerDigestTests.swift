import Builds
import Glibc
import Testing

@testable import CommandLine

@Suite("The digest of a handler's folder")
struct HandlerDigestTests {
    @Test(
        "It is what faas-cli computes, whose order goes by whole paths",
        arguments: [
            (["fn/handler.py": "hello\n", "fn/requirements.txt": ""], "4fcb9133eecd7c29a34d2ddb8c8d435f"),
            (["fn/a-b.txt": "1\n", "fn/a/b.txt": "2\n"], "d028e566ae896354b0446ea8b338feac"),
            (["other/x": "y"], "d41d8cd98f00b204e9800998ecf8427e"),
        ])
    func vectors(files: [String: String], digest: String) async throws {
        let folder = try ScratchPlace()
        for (path, text) in files { try folder.write(text, to: path) }
        symlink("handler.py", folder.path + "/fn/link")

        let tree = try await FolderTree.read(folder.path)

        #expect(try await HandlerDigest.digest(of: "fn", in: tree) == digest)
    }
}
