import Builds
import Commands
import Synchronization
import Testing

@testable import CommandLine

@Suite("Folders with functions")
struct SourceFolderTests {
    private let runtimes = #filePath.repositoryRoot + "/runtimes"

    private func read(
        _ place: ScratchPlace, _ change: (inout SourceFolder.Request) -> Void = { _ in }
    ) async throws -> SourceFolder {
        var request = SourceFolder.Request(path: place.path)
        change(&request)
        return try await SourceFolder.read(
            request, catalog: try await RuntimePlaces(named: runtimes, program: "", project: place.path).catalog())
    }

    private func stack() throws -> ScratchPlace {
        let place = try ScratchPlace()
        try place.write(
            """
            functions:
              one:
                lang: bash
                handler: ./one
                image: ${PREFIX:-none}/one:2
                build_options: [http]
                build_args: {A: stack, B: stack}
              two:
                skip_build: true
                image: example.com/two:1
            """, to: "stack.yml")
        try place.write("echo\n", to: "one/handler.sh")
        return place
    }

    @Test("What was typed wins over the stack's arguments, and packages add up")
    func arguments() async throws {
        let source = try await read(try stack()) {
            $0.arguments = ["A": "typed", RuntimeManifest.packagesArgument: "jq gawk"]
            $0.variables = ["PREFIX": "registry.example.com"]
        }

        let one = try #require(source.functions.first)
        #expect(source.functions.map(\.stack.name) == ["one", "two"])
        #expect(one.stack.image == "registry.example.com/one:2")
        #expect(
            one.arguments == [
                "A": "typed", "B": "stack", RuntimeManifest.packagesArgument: "ca-certificates curl gawk jq",
            ])
        #expect(one.runtime?.name == "bash")
        #expect(source.functions.last?.stack.skipsBuild == true)
    }

    @Test("Functions are chosen by name, and a name that is not there is told with those that are")
    func names() async throws {
        let place = try stack()

        let source = try await read(place) { $0.names = ["two"] }
        let failure = await #expect(throws: CommandFailure.self) { try await read(place) { $0.names = ["three"] } }

        #expect(source.functions.map(\.stack.name) == ["two"])
        #expect(failure?.code == .notFound)
        #expect(failure?.advice == "it has: one, two")
    }

    @Test("Beside a stack file the folder build is faas-cli's, and no place for functions")
    func buildFolder() async throws {
        let place = try stack()
        try place.write("name: one\nruntime: flask\n", to: "build/one/funko.yml")

        #expect(try await read(place).functions.count == 2)
    }

    @Test("A folder without a function says how to start one")
    func empty() async throws {
        let failure = await #expect(throws: CommandFailure.self) { try await read(try ScratchPlace()) }

        #expect(failure?.code == .notFound)
        #expect(failure?.advice?.contains("farebox new") == true)
    }

    @Test("Runtimes of the project's template folder count more than those that were installed")
    func ownTemplates() async throws {
        let place = try stack()
        try place.write("language: bash\nfprocess: mine\n", to: "template/bash/template.yml")
        try place.write("FROM scratch\n", to: "template/bash/Dockerfile")

        let failure = await #expect(throws: CommandFailure.self) { try await read(place) { $0.names = ["one"] } }

        #expect(failure?.description.contains("has no build option 'http'") == true)
    }

    @Test("Where runtimes are looked for follows from where the program lies")
    func places() {
        let places = RuntimePlaces(program: "/opt/farebox/bin/farebox")

        #expect(
            places.candidates == [
                "/opt/farebox/share/farebox/runtimes", "/opt/farebox/bin/runtimes", "/usr/share/farebox/runtimes",
                "/runtimes",
            ])
        #expect(RuntimePlaces(named: "/x", program: "/bin/farebox").candidates == ["/x"])
    }
}

@Suite("Commands for folders")
struct FolderCommandTests {
    /// Runs a command and returns what it wrote.
    private func run(_ words: [String]) async throws -> (output: String, errors: String) {
        let written = Mutex<[Console.Stream: [UInt8]]>([:])
        let runtimes = #filePath.repositoryRoot + "/runtimes"
        let console = Console(variables: { $0 == RuntimePlaces.variable ? runtimes : nil }) { stream, bytes in
            written.withLock { $0[stream, default: []] += bytes }
        }
        guard case .run(let command, let options) = try CommandTree(PersonCommands.all(console)).request(words) else {
            return ("", "")
        }
        try await command.run(options)
        let all = written.withLock { $0 }
        return (
            String(decoding: all[.output] ?? [], as: UTF8.self), String(decoding: all[.errors] ?? [], as: UTF8.self)
        )
    }

    @Test("A new function is exported, and laid out as faas-cli lays it out, without any cluster")
    func offline() async throws {
        let place = try ScratchPlace()
        let project = place.path + "/hello"

        let new = try await run(["new", "--runtime", "python3", project])
        let exported = try await run(["export", project, place.path + "/out"])
        let shrunk = try await run(["build", "--shrinkwrap", project])

        #expect(new.output.isEmpty)
        #expect(new.errors.contains("farebox up"))
        #expect(exported.output == place.path + "/out\n")
        #expect(shrunk.output == project + "/build/hello\n")
        let out = try await FolderTree.read(place.path + "/out")
        let build = try await FolderTree.read(project + "/build/hello")
        #expect(out.entries.map(\.path) == build.entries.map(\.path))
        #expect(out.entry(at: "function/handler.py") != nil)
    }

    @Test("What is there is never written over")
    func existing() async throws {
        let place = try ScratchPlace()
        try place.write("mine", to: "hello/handler.py")

        await #expect(throws: CommandFailure.self) {
            try await run(["new", "-r", "bash", place.path + "/hello"])
        }
        #expect(try await FolderTree.read(place.path).entries.map(\.path) == ["hello/handler.py"])
    }

    @Test("The list of runtimes is for people and for programs")
    func list() async throws {
        let names = try await run(["new", "--list", "-o", "name"]).output

        #expect(names.split(separator: "\n").contains("python3-http"))
        #expect(try await run(["new", "-r", "list"]).output.contains("DESCRIPTION"))
    }

    @Test(
        "Words that contradict each other are not understood",
        arguments: [
            ["build", "--local", "--remote"], ["build", "--local", "--builder", "http://a"], ["up", "-v", "7"],
            ["up", "--tag", "never"], ["build", "--build-arg", "A"], ["build", "--builder", "nowhere"],
        ])
    func contradictions(words: [String]) async throws {
        let place = try ScratchPlace()
        _ = try await run(["new", "-r", "bash", place.path + "/hello"])

        await #expect(throws: UsageError.self) {
            try await run(words + [place.path + "/hello", "--registry", "r.example.com"])
        }
    }
}
