import CRDs
import Glibc
import Testing

@testable import Builds

@Suite("A build context as a folder on disk")
struct ContextFolderTests {
    private func tree(_ files: [String: String]) -> MemoryTree { MemoryTree(files) }

    private func entries(below path: String) async throws -> [String: String] {
        let tree = try await FolderTree.read(path)
        var result: [String: String] = [:]
        for entry in tree.entries {
            result[entry.path] = String(decoding: try await tree.read(entry, bytesMaximum: 1 << 20), as: UTF8.self)
        }
        return result
    }

    @Test("Shrinkwrap is laid out as faas-cli's: the template, the handler over its sample, extras beside it")
    func shrinkwrap() async throws {
        let folder = try TestFolder()
        let runtime = try RuntimeFixture.runtime("python", RuntimeFixture.openFaaS)
        var function = StackFunction(name: "fn", runtime: "python", handler: "fn", image: "fn")
        function.extraPaths = ["shared"]
        let files = [
            "fn/handler.py": "mine", "fn/.hidden": "h", "fn/build/out.js": "lost", "fn/template/x": "lost",
            "fn/.dockerignore": "*.md\n", "fn/notes.md": "kept: docker applies the rules", "fn/sub/build/y": "kept",
            "shared/lib.py": "lib",
        ]

        let names = try await ContextFolder(path: folder.path + "/out", layout: .shrinkwrap).write(
            function, runtime: runtime, from: tree(files))

        let written = try await entries(below: folder.path + "/out")
        #expect(names == written.keys.sorted())
        #expect(
            Set(names) == [
                "template.yml", "Dockerfile", "index.py", "function/handler.py", "function/requirements.txt",
                "function/.hidden", "function/.dockerignore", "function/notes.md", "function/sub/build/y",
                "function/shared/lib.py",
            ])
        #expect(written["function/handler.py"] == "mine")
    }

    @Test("With a Dockerfile of its own the handler is the root, and extras are beside it")
    func shrinkwrapDockerfile() async throws {
        let folder = try TestFolder()
        var function = StackFunction(name: "fn", runtime: "dockerfile", handler: "fn", image: "fn")
        function.extraPaths = ["shared/lib.py"]

        let names = try await ContextFolder(path: folder.path + "/out", layout: .shrinkwrap).write(
            function, runtime: nil,
            from: tree(["fn/Dockerfile": "FROM x", "fn/build/a": "", "fn/b": "", "shared/lib.py": ""]))

        #expect(names == ["Dockerfile", "b", "shared/lib.py"])
    }

    @Test("The standalone folder is what a build gets, programs and links included, with its Dockerfile rewritten")
    func standalone() async throws {
        let folder = try TestFolder()
        let files = MemoryTree([
            ("fn/Dockerfile", .file, Array("FROM x\n".utf8)), ("fn/run.sh", .executable, Array("#!".utf8)),
            ("fn/link", .link, Array("run.sh".utf8)), ("fn/.dockerignore", .file, Array("*.md\n".utf8)),
            ("fn/notes.md", .file, []),
        ])
        let path = folder.path + "/out"

        _ = try await ContextFolder(path: path, layout: .standalone).write(
            StackFunction(name: "fn", runtime: "dockerfile", handler: "fn", image: "fn"), runtime: nil, from: files
        ) { $0 + Array("USER 1\n".utf8) }

        let made = try await FolderTree.read(path)
        #expect(made.entries.map(\.path) == [".dockerignore", "Dockerfile", "link", "run.sh"])
        #expect(made.entry(at: "run.sh")?.kind == .executable)
        #expect(try await entries(below: path)["Dockerfile"] == "FROM x\nUSER 1\n")
        #expect(try await entries(below: path)["link"] == "run.sh")
    }

    @Test("A folder that is there is left as it is, and one that cannot be finished is removed")
    func failures() async throws {
        let folder = try TestFolder()
        try folder.write("mine", to: "there/file")
        let function = StackFunction(name: "fn", runtime: "dockerfile", handler: "fn", image: "fn")
        let good = tree(["fn/Dockerfile": "FROM x"])
        let bad = MemoryTree([
            ("fn/Dockerfile", .file, Array("FROM x".utf8)), ("fn/out", .link, Array("../../etc/passwd".utf8)),
        ])

        let refusal = await #expect(throws: BuildFailure.self) {
            try await ContextFolder(path: folder.path + "/there", layout: .standalone).write(
                function, runtime: nil, from: good)
        }
        await #expect(throws: BuildFailure.self) {
            try await ContextFolder(path: folder.path + "/half", layout: .standalone).write(
                function, runtime: nil, from: bad)
        }

        #expect(refusal?.message.contains("is there already") == true)
        #expect(folder.names == ["there"])
    }
}
