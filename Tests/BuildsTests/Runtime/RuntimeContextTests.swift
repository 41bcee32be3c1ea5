import Archive
import CRDs
import Testing

@testable import Builds

@Suite("A context with a runtime")
struct RuntimeContextTests {
    private func function(
        _ handler: String = "cart", options: [String: RuntimeOption] = [:], extra: [String] = []
    ) -> StackFunction {
        var function = StackFunction(name: "cart", runtime: "python", handler: handler, image: "cart")
        function.options = options
        function.extraPaths = extra
        return function
    }

    /// The files of the context, each with its content; links with an arrow, executable files with a star.
    private func files(
        _ tree: MemoryTree, _ runtime: Runtime?, _ function: StackFunction? = nil, allowsDockerfile: Bool = true
    ) async throws -> [String: String] {
        let folder = try TestFolder()
        var limits = BuildContext.Limits()
        limits.allowsDockerfile = allowsDockerfile
        _ = try await BuildContext.write(
            function ?? self.function(), runtime: runtime, arguments: [:], image: ImageReference(parsing: "r/a:b"),
            from: tree,
            to: folder.path + "/context.tar", limits: limits)
        let reader = try TarReader(bytes: Vectors.read(folder.path + "/context.tar"))
        var result: [String: String] = [:]
        while let entry = try reader.next() {
            guard entry.path.hasPrefix("context/") else { continue }
            let name = String(entry.path.dropFirst("context/".count))
            switch entry.kind {
            case .file:
                result[name + (entry.isExecutable ? "*" : "")] = String(
                    decoding: try reader.content(bytesMaximum: 1 << 20), as: UTF8.self)
            case .symbolicLink(let target): result[name] = "-> " + target
            default: break
            }
        }
        return result
    }

    private func failure(
        _ tree: MemoryTree, _ runtime: Runtime?, _ function: StackFunction? = nil, allowsDockerfile: Bool = true
    ) async -> BuildFailure? {
        await #expect(throws: BuildFailure.self) {
            try await files(tree, runtime, function, allowsDockerfile: allowsDockerfile)
        }
    }

    @Test("of OpenFaaS is what faas-cli's shrinkwrap makes")
    func shrinkwrap() async throws {
        let runtime = try RuntimeFixture.runtime("python", RuntimeFixture.openFaaS)
        let tree = MemoryTree([
            ("cart/handler.py", .file, Array("mine".utf8)), ("cart/.hidden", .file, [0x68]),
            ("cart/bin/tool", .executable, [0x74]),
            ("cart/bin/link", .link, Array("tool".utf8)), ("cart/build/x", .file, []), ("cart/template/x", .file, []),
            ("cart/src/build/y", .file, []), ("cart/.dockerignore", .file, Array("*.pem\n".utf8)),
            ("cart/key.pem", .file, []),
            ("shared/a.py", .file, [0x61]), ("VERSION", .file, [0x31]), ("stack.yml", .file, []),
        ])

        let files = try await files(tree, runtime, function(extra: ["shared", "VERSION"]))

        #expect(files["function/handler.py"] == "mine")
        #expect(files["template.yml"] == RuntimeFixture.openFaaS["template.yml"])
        #expect(
            files.keys.sorted() == [
                "Dockerfile", "function/.dockerignore", "function/.hidden", "function/VERSION", "function/bin/link",
                "function/bin/tool*", "function/handler.py", "function/requirements.txt", "function/shared/a.py",
                "function/src/build/y", "index.py", "template.yml",
            ])
    }

    @Test("of FaaSO is the rendered runtime with the author's files over it")
    func overlay() async throws {
        let runtime = try RuntimeFixture.runtime("flask", RuntimeFixture.faaso)
        let tree = MemoryTree([
            "cart/funko.yml": "name: cart", "cart/funko.py": "app", "cart/.env": "secret", "cart/static/.keep": "",
            "cart/plain.txt": "mine", "cart/.dockerignore": "notes", "cart/notes": "",
        ])

        let files = try await files(tree, runtime, function(options: ["ship_packages": .list(["curl", "jq"])]))

        #expect(
            files == [
                "README.md": "# Flask\n\nMore.\n", "Dockerfile": "FROM debian\nRUN apt curl jq", "funko.py": "app",
                "run.sh": "#!/bin/sh\necho cart flask", "plain.txt": "mine", "funko.yml": "name: cart",
                "static/.keep": "",
            ])
    }

    @Test("lets the author's Dockerfile win only in FaaSO's runtimes, and only by leave")
    func dockerfile() async throws {
        let faaso = try RuntimeFixture.runtime("flask", RuntimeFixture.faaso)
        var root = RuntimeFixture.openFaaS
        root["template.yml"] = "language: x\nhandler_folder: .\n"
        let atRoot = try RuntimeFixture.runtime("root", root)
        let below = try RuntimeFixture.runtime("below", RuntimeFixture.openFaaS)
        let tree = MemoryTree(["cart/Dockerfile": "FROM mine", "Dockerfile": "FROM extra"])
        let without = MemoryTree(["cart/handler.py": "", "Dockerfile": "FROM extra"])

        #expect(try await files(tree, faaso)["Dockerfile"] == "FROM mine")
        #expect(await failure(tree, faaso, allowsDockerfile: false)?.reason == .contextInvalid)
        #expect(await failure(tree, atRoot)?.message.contains("Dockerfile") == true)
        #expect(
            await failure(without, atRoot, function(extra: ["Dockerfile"]))?.message.contains("configuration.copy")
                == true)
        #expect(try await files(tree, below)["Dockerfile"] == RuntimeFixture.openFaaS["Dockerfile"])
        #expect(try await files(tree, below)["function/Dockerfile"] == "FROM mine")
    }

    @Test("has no entry below another's file or link")
    func conflicts() async throws {
        let runtime = try RuntimeFixture.runtime(
            "python",
            [
                "Dockerfile": "", "template.yml": "language: x", "function/lib": "file", "function/x/y": "z",
            ])
        let tree = MemoryTree([
            ("cart/lib/a", .file, [0x61]), ("cart/x", .file, [0x62]), ("cart/link", .link, Array("lib".utf8)),
            ("link/file", .file, [0x63]),
        ])

        let files = try await files(tree, runtime, function(extra: ["link"]))

        #expect(
            files.filter { $0.key.hasPrefix("function/") } == [
                "function/lib/a": "a", "function/x": "b", "function/link/file": "c",
            ])
    }

    @Test("lets no link leave the handler's folder")
    func links() async throws {
        let runtime = try RuntimeFixture.runtime("python", RuntimeFixture.openFaaS)
        for target in ["../Dockerfile", "../../x", "/etc/passwd"] {
            let tree = MemoryTree([("cart/link", .link, Array(target.utf8))])
            #expect(await failure(tree, runtime)?.reason == .contextInvalid)
        }
    }

    @Test("changes its inputs with the runtime, the options and the arguments")
    func inputs() async throws {
        let tree = MemoryTree(["cart/funko.py": "x"])
        var other = RuntimeFixture.faaso
        other["plain.txt"] = "changed"
        let runtimes = [
            try RuntimeFixture.runtime("flask", RuntimeFixture.faaso), try RuntimeFixture.runtime("flask", other),
        ]
        let folder = try TestFolder()
        func digest(
            _ runtime: Runtime, _ options: [String: RuntimeOption], _ arguments: [String: String]
        ) async throws -> String {
            try await BuildContext.write(
                function(options: options), runtime: runtime, arguments: arguments,
                image: ImageReference(parsing: "r/a:b"),
                from: tree, to: folder.path + "/context.tar"
            ).inputsDigest
        }

        let base = try await digest(runtimes[0], [:], [:])
        let again = try await digest(runtimes[0], [:], [:])
        let changed = [
            try await digest(runtimes[1], [:], [:]),
            try await digest(runtimes[0], ["ship_packages": .list(["jq"])], [:]),
            try await digest(runtimes[0], [:], ["A": "b"]),
        ]

        #expect(base == again)
        #expect(Set(changed + [base]).count == 4)
    }

    @Test("of the built-in FaaSO runtimes has what the options ask for", arguments: ["flask", "express"])
    func builtIn(name: String) async throws {
        let found = try await RuntimeFolder(Vectors.folder + "/../../runtimes").read()
        let runtime = try #require(found.runtimes.first { $0.name == name })
        let options: [String: RuntimeOption] = [
            "ship_packages": .list(["jq", "curl"]), "copy_from_build": .list(["dist public", "bin bin"]),
            "healthcheck_command": .text("true"),
        ]

        let plain = try await files(MemoryTree(["cart/funko.yml": ""]), runtime)["Dockerfile"] ?? ""
        let full =
            try await files(MemoryTree(["cart/funko.yml": ""]), runtime, function(options: options))["Dockerfile"] ?? ""

        #expect(!plain.contains("{{") && !plain.contains("{%"))
        #expect(plain.contains("COPY --from=build /home/app ./\n# An application"))
        #expect(plain.contains("--retries=3 \\\n    CMD "))
        #expect(
            full.contains(
                "./\nCOPY --from=build /home/app/dist public\nCOPY --from=build /home/app/bin bin\n# An application"))
        #expect(full.contains(" jq curl \\\n"))
        #expect(full.contains("CMD true\n"))
    }

    @Test("that cannot be rendered names the runtime, the file and the line")
    func rendering() async throws {
        let runtime = try RuntimeFixture.runtime("odd", ["Dockerfile.j2": "FROM x\n{{ options.a.b.c }}\n"])

        let failure = await failure(MemoryTree(["cart/x": ""]), runtime)

        #expect(failure?.message == "function cart: Dockerfile.j2 of the runtime odd, line 2: 'a' is not defined")
    }

    @Test("of a stack names what configuration.copy does not find")
    func missing() async throws {
        let runtime = try RuntimeFixture.runtime("python", RuntimeFixture.openFaaS)

        #expect(
            await failure(MemoryTree(["cart/x": ""]), runtime, function(extra: ["none"]))?.message.contains("'none'")
                == true)
        #expect(await failure(MemoryTree(["other/x": ""]), runtime)?.reason == .contextInvalid)
    }

    @Test("gives the function the packages, the process, the port and the health path of its runtime")
    func adapted() throws {
        let openFaaS = try RuntimeFixture.runtime("python", RuntimeFixture.openFaaS)
        let faaso = try RuntimeFixture.runtime("flask", RuntimeFixture.faaso)
        var wanted = function()
        wanted.buildOptions = ["db", "dev"]
        wanted.buildArguments = ["ADDITIONAL_PACKAGE": "zip  gcc"]
        var own = wanted
        own.process = "mine"
        var unknown = function()
        unknown.buildOptions = ["none"]

        let python = try wanted.adapted(to: openFaaS, arguments: ["ADDITIONAL_PACKAGE": "age"])
        let flask = try function().adapted(to: faaso)

        #expect(python.buildArguments == ["ADDITIONAL_PACKAGE": "age gcc libpq-dev make zip"])
        #expect(python.process == "python3 index.py")
        #expect(python.health?.path == "/_/health")
        #expect(try own.adapted(to: openFaaS).process == "mine")
        #expect((flask.port, flask.health?.path, flask.process) == (3000, "/ping", nil))
        #expect(try wanted.adapted(to: nil) == wanted)
        let failure = #expect(throws: BuildFailure.self) { try unknown.adapted(to: openFaaS) }
        #expect(failure?.message.contains("known: dev, db") == true)
    }
}
