import Testing

@testable import Commands

@Suite("What is typed after farebox")
struct CommandDescriptionTests {
    let command = CommandDescription(
        "serve", "serves something", discussion: "It serves.",
        options: [.init("port", value: "PORT", "where"), .init("quiet", "says less")],
        examples: ["farebox serve --port 1"])

    @Test(
        "Options are read in either form",
        arguments: [["--port", "80", "--quiet"], ["--quiet", "--port=80"]])
    func options(words: [String]) throws {
        let parsed = try command.parse(words)

        #expect(parsed == ["port": "80", "quiet": ""])
    }

    @Test("A value may hold an equals sign or be empty")
    func values() throws {
        #expect(try command.parse(["--port=a=b"]) == ["port": "a=b"])
        #expect(try command.parse(["--port="]) == ["port": ""])
    }

    @Test(
        "What is not understood is refused and named",
        arguments: [(["--prot", "1"], "--prot"), (["80"], "80"), (["--port"], "--port"), (["--quiet=1"], "--quiet")])
    func mistakes(words: [String], named: String) throws {
        let error = #expect(throws: UsageError.self) { try command.parse(words) }

        #expect(error?.description.contains(named) == true)
    }

    @Test("The help page names every option and example, in 80 columns")
    func help() {
        let page = command.help

        for text in ["farebox serve", "--port PORT", "--quiet", "--help", "farebox serve --port 1", "It serves."] {
            #expect(page.contains(text))
        }
        #expect(page.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }
}
