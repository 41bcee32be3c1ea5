import Archive
import Glibc
import KubernetesTypes
import Testing

@testable import Builds

@Suite("Runtimes")
struct RuntimeReaderTests {
    @Test("are read from template.yml as faas-cli reads it")
    func openFaaS() throws {
        let runtime = try RuntimeFixture.runtime("python", RuntimeFixture.openFaaS)

        #expect(
            runtime.kind
                == .openFaaS(
                    RuntimeManifest(
                        language: "python", process: "python3 index.py",
                        buildOptions: [
                            .init(name: "dev", packages: ["make", "gcc"]),
                            .init(name: "db", packages: ["libpq-dev", "gcc"]),
                        ], handlerFolder: "function", welcomeMessage: "Hello!")))
        #expect(runtime.files.count == 5)
        #expect(runtime.handlerFolder == "function")
    }

    @Test("are read from a Dockerfile.j2 and a README as FaaSO reads them")
    func faaso() throws {
        let runtime = try RuntimeFixture.runtime("flask", RuntimeFixture.faaso)

        #expect(runtime.kind == .faaso)
        #expect(runtime.summary == "Flask")
    }

    @Test("have digests that follow from names, modes and contents, and from nothing else")
    func digests() throws {
        let base = try RuntimeFixture.runtime("a", ["Dockerfile": "x", "b": "c"])
        let renamed = try RuntimeReader().runtime(
            "z", RuntimeFixture.items(["Dockerfile": "x", "b": "c"]), source: "elsewhere")
        let moved = try RuntimeFixture.runtime("a", ["Dockerfile": "x", "c": "b"])
        let executable = try RuntimeReader().runtime(
            "a",
            RuntimeFixture.items(["Dockerfile": "x"]) + [
                RuntimeItem(path: "b", content: .file([99], isExecutable: true))
            ],
            source: "test")

        #expect(renamed.digest == base.digest)
        #expect(Set([base, moved, executable].map(\.digest)).count == 3)
    }

    @Test(
        "that cannot be used say why",
        arguments: [
            (["README.md": "x"], "neither a Dockerfile"), (["template.yml": "language: x"], "no Dockerfile"),
            (["template.yml": "[", "Dockerfile": ""], "template.yml"),
            (["template.yml": "- a", "Dockerfile": ""], "a mapping"),
            (["template.yml": "handler_folder: ../x", "Dockerfile": ""], "handler_folder"),
            (["template.yml": "build_options: [{packages: [a]}]", "Dockerfile": ""], "needs a name"),
            (["Dockerfile.j2": "FROM x\n{{ broken"], "Dockerfile.j2 line 2"),
            (["Dockerfile.j2": "", "Dockerfile": ""], "both"),
            (["Dockerfile": "", String(repeating: "a/", count: 20) + "b": ""], "too deep"),
            (["Dockerfile": String(repeating: "x", count: 5 << 20)], "more than"),
        ])
    func refused(files: [String: String], message: String) {
        let error = #expect(throws: RuntimeError.self) { try RuntimeFixture.runtime("odd", files) }

        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test(
        "may only be called what stacks can say",
        arguments: ["", "dockerfile", "Python", "-x", ".x", "a b", "../x", "a/b", String(repeating: "x", count: 64)])
    func names(name: String) {
        #expect(throws: RuntimeError.self) { try RuntimeFixture.runtime(name, ["Dockerfile": ""]) }
    }

    @Test("follow links to files inside of them, and no others")
    func links() throws {
        func runtime(_ target: String) throws -> Runtime {
            let items = RuntimeFixture.items(["Dockerfile": "FROM x", "lib/a": "content"])
            return try RuntimeReader().runtime(
                "r", items + [RuntimeItem(path: "bin/link", content: .link(target))], source: "test")
        }

        #expect(try runtime("../lib/a").files.first { $0.path == "bin/link" }?.bytes == Array("content".utf8))
        for target in ["/etc/passwd", "../../etc/passwd", "../lib", "../lib/b", "", "link", "../lib/../../x"] {
            #expect(throws: RuntimeError.self, "\(target)") { try runtime(target) }
        }
    }

    @Test("are found in a folder's folders, in template, or where the path says")
    func sets() {
        let set = RuntimeFixture.items([
            "README.md": "", "a/Dockerfile": "", "b/Dockerfile.j2": "", "b/template/x": "", "docs/page.md": "",
            "Bad/Dockerfile": "",
        ])
        let cloud = RuntimeFixture.items([
            "template/a/Dockerfile": "", "template/a/template.yml": "language: a", "other/Dockerfile": "",
        ])
        let single = RuntimeFixture.items(["runtimes/a/Dockerfile": "", "Dockerfile": ""])
        let reader = RuntimeReader()

        let found = reader.runtimes(in: set, path: "", source: "set")
        #expect(found.runtimes.map(\.name) == ["a", "b"])
        #expect(found.problems.map(\.runtime) == ["Bad"])
        #expect(reader.runtimes(in: cloud, path: "", source: "cloud").runtimes.map(\.name) == ["a"])
        #expect(reader.runtimes(in: single, path: "runtimes/a", source: "single").runtimes.map(\.name) == ["a"])
        #expect(reader.runtimes(in: single, path: "runtimes", source: "single").runtimes.map(\.name) == ["a"])
        #expect(reader.runtimes(in: single, path: "", source: "single").problems.count == 1)
    }

    @Test("of the same name: the later source counts, and both are named")
    func clashes() throws {
        let one = try RuntimeReader().runtime("a", RuntimeFixture.items(["Dockerfile": "1"]), source: "first")
        let two = try RuntimeReader().runtime("a", RuntimeFixture.items(["Dockerfile": "2"]), source: "second")

        let catalog = RuntimeCatalog([[one], [two]])

        #expect(catalog.runtime("a") == two)
        #expect(catalog.names == ["a"])
        #expect(catalog.clashes == ["a: second takes the place of first"])
    }

    @Test("come from a folder on disk with modes and links, and without what is hidden")
    func folder() async throws {
        let folder = try TestFolder()
        try folder.write("FROM x", to: "a/Dockerfile")
        try folder.write("#!/bin/sh", to: "a/bin/run")
        try folder.write("x", to: ".git/Dockerfile")
        #expect(chmod(folder.path + "/a/bin/run", 0o755) == 0)
        #expect(symlink("bin/run", folder.path + "/a/start") == 0)

        let found = try await RuntimeFolder(folder.path).read()
        let nothing = try await RuntimeFolder(folder.path + "/none").read()

        #expect(found.problems == [])
        #expect(found.runtimes.map(\.name) == ["a"])
        #expect(found.runtimes.first?.files.map(\.path) == ["Dockerfile", "bin/run", "start"])
        #expect(found.runtimes.first?.files.map(\.isExecutable) == [false, true, true])
        #expect(nothing.runtimes.isEmpty && nothing.problems.isEmpty)
    }

    @Test("of this repository are all good")
    func builtIn() async throws {
        let found = try await RuntimeFolder(Vectors.folder + "/../../runtimes").read()

        #expect(found.problems == [])
        #expect(found.runtimes.map(\.name) == ["bash", "express", "flask", "go", "node", "python3-http", "static"])
        for runtime in found.runtimes { #expect(runtime.summary != nil, "\(runtime.name) has no README") }
    }

    @Test("come from a commit")
    func tree() async throws {
        let tree = MemoryTree([
            ("set/a/Dockerfile", .file, []), ("set/a/run", .executable, [1]), ("set/a/link", .link, Array("run".utf8)),
            ("set/a/sub", .submodule, []), ("big", .file, Array(repeating: 0, count: 40 << 20)),
        ])

        let found = try await RuntimeTree().read(tree, path: "set", source: "git")

        #expect(found.runtimes.map(\.name) == ["a"])
        #expect(found.runtimes.first?.files.map(\.isExecutable) == [false, true, true])
        await #expect(throws: RuntimeError.self) { try await RuntimeTree().read(tree, path: "none", source: "git") }
        await #expect(throws: RuntimeError.self) { try await RuntimeTree().read(tree, path: "", source: "git") }
    }

    @Test("come from layers of an artifact, later ones over earlier ones")
    func archive() async throws {
        let first = try layer([("a/Dockerfile", "1"), ("a/old", "x")])
        let second = try layer([("a/Dockerfile", "2")])

        let found = try await RuntimeArchive().read([first, second], path: "", source: "oci")

        #expect(found.runtimes.first?.files.map { String(decoding: $0.bytes, as: UTF8.self) } == ["2", "x"])
        for bad in [Array("no tar".utf8), Array(first.dropLast(1500))] {
            await #expect(throws: RuntimeError.self) { try await RuntimeArchive().read([bad], path: "", source: "oci") }
        }
    }

    private func layer(_ files: [(String, String)]) throws -> [UInt8] {
        final class Sink { var bytes: [UInt8] = [] }
        let sink = Sink()
        var tar = TarWriter { sink.bytes += $0 }
        for (path, text) in files { try tar.addFile(path, bytes: Array(text.utf8)) }
        try tar.finish()
        return sink.bytes
    }

    @Test("come from a ConfigMap, whose keys spell the slash as two dots")
    func configMap() throws {
        let map = ConfigMap(
            metadata: ObjectMeta(
                name: "runtime-ruby", namespace: "farebox-system", labels: ["farebox.dev/runtime": "ruby"],
                annotations: ["farebox.dev/executables": "bin/tool, x"]),
            data: ["Dockerfile": "FROM x", "function...env": "a", "bin..run": "#!/bin/sh\n", "bin..tool": "x"],
            binaryData: ["logo.png": Base64Bytes([0, 255])])

        let runtime = try RuntimeConfigMap.runtime(of: map)

        #expect(runtime.name == "ruby")
        #expect(runtime.files.map(\.path) == ["Dockerfile", "bin/run", "bin/tool", "function/.env", "logo.png"])
        #expect(runtime.files.map(\.isExecutable) == [false, true, true, false, false])
        #expect(runtime.source == "ConfigMap farebox-system/runtime-ruby")
        #expect(throws: RuntimeError.self) {
            try RuntimeConfigMap.runtime(of: ConfigMap(metadata: ObjectMeta(name: "x", namespace: "y"), data: [:]))
        }
    }

    @Test(
        "find no path in keys that spell none",
        arguments: [("a..b", "a/b"), ("a", "a"), ("a....b", "a/..b"), ("a..", nil), ("__init__.py", "__init__.py")])
    func keys(key: String, path: String?) { #expect(RuntimeConfigMap.path(of: key) == path) }
}
