import Builds
import Commands
import Testing

@testable import CommandLine

@Suite("What a new function consists of")
struct NewFunctionTests {
    private func catalog() async throws -> RuntimeCatalog {
        let places = RuntimePlaces(named: #filePath.repositoryRoot + "/runtimes", program: "")
        return try await places.catalog()
    }

    @Test("A shortened name means the only runtime that goes on with a dash")
    func names() async throws {
        let catalog = try await catalog()

        #expect(try catalog.meant(by: "python3").name == "python3-http")
        #expect(try catalog.meant(by: "node").name == "node")
        let failure = #expect(throws: CommandFailure.self) { try catalog.meant(by: "cobol") }
        #expect(failure?.code == .notFound)
        #expect(failure?.advice?.contains("python3-http") == true)
    }

    @Test(
        "Every runtime of ours starts a function whose folder is read and makes a context",
        arguments: [
            "python3-http", "node", "go", "bash", "static", "flask", "express", "dockerfile",
        ])
    func everyRuntime(name: String) async throws {
        let catalog = try await catalog()
        let new = try NewFunction(
            folder: "hello", runtime: name == "dockerfile" ? nil : try catalog.meant(by: name), stack: nil)
        let place = try ScratchPlace()
        for file in new.files { try place.write(String(decoding: file.bytes, as: UTF8.self), to: file.path) }

        let source = try await SourceFolder.read(
            SourceFolder.Request(path: place.path + "/hello"), catalog: catalog)

        let entry = try #require(source.functions.first)
        #expect(source.functions.count == 1)
        #expect(entry.stack.name == "hello")
        try await ExportCommand.write(entry, source, to: place.path + "/out")
        let out = try await FolderTree.read(place.path + "/out")
        #expect(out.entry(at: "Dockerfile") != nil)
    }

    @Test("Beside a stack file the function is added to it")
    func added() async throws {
        let runtime = try await catalog().meant(by: "bash")

        let new = try NewFunction(
            folder: "tools/shout", runtime: runtime, stack: ("stack.yml", "functions:\n  one:\n    lang: go\n"))

        #expect(new.files.map(\.path) == ["tools/shout/handler.sh"])
        #expect(new.changed?.text.contains("  shout:\n    lang: bash\n    handler: ./tools/shout\n") == true)
    }

    @Test(
        "A folder that is no name, or leads out, is refused", arguments: ["", "..", "../x", "Hello", "a_b", "-x", "/"])
    func refused(folder: String) {
        let failure = #expect(throws: CommandFailure.self) {
            try NewFunction(folder: folder, runtime: nil, stack: nil)
        }

        #expect(failure?.code == .usage)
    }
}

extension String {
    /// The folder of the checkout, from the path of a file of tests.
    var repositoryRoot: String {
        let parts = split(separator: "/")
        let end = parts.lastIndex(of: "Tests") ?? parts.endIndex
        return "/" + parts[..<end].joined(separator: "/")
    }
}
