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

        #expect(parsed == Options(["port": ["80"], "quiet": [""]]))
    }

    @Test("A value may hold an equals sign or be empty")
    func values() throws {
        #expect(try command.parse(["--port=a=b"])["port"] == "a=b")
        #expect(try command.parse(["--port="])["port"] == "")
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

    private let shop = CommandDescription(
        "shop", "sells", arguments: [.init("name", "what"), .init("more", isOptional: true, isRepeated: true, "else")],
        options: [
            .init("output", short: "o", value: "FORMAT", "how"), .init("follow", short: "f", "waits"),
            .init("header", short: "H", value: "FIELD", isRepeated: true, "a field"),
        ])

    @Test(
        "Short options are read with their value beside, behind a sign, or after them, and flags together",
        arguments: [
            ["-fo", "json", "x"], ["-f", "-ojson", "x"], ["x", "-f", "-o=json"], ["-o", "json", "-f", "--", "x"],
        ])
    func shortOptions(words: [String]) throws {
        let parsed = try shop.parse(words)

        #expect(parsed == Options(["output": ["json"], "follow": [""]], arguments: ["name": ["x"]]))
    }

    @Test("What may be repeated counts each time, what may not counts as said last")
    func repeated() throws {
        let parsed = try shop.parse(["a", "-H", "one", "--header=two", "-o", "name", "b", "-o", "yaml", "--", "-c"])

        #expect(parsed.all("header") == ["one", "two"])
        #expect(parsed["output"] == "yaml")
        #expect(parsed.argument("name") == "a")
        #expect(parsed.arguments("more") == ["b", "-c"])
    }

    @Test(
        "The help is shown whatever else is missing", arguments: [["--help"], ["-h"], ["x", "-f", "--help", "--no"]])
    func wantsHelp(words: [String]) throws {
        #expect(try shop.parse(words).wantsHelp)
    }

    @Test("A value may look like the help")
    func helpAsValue() throws {
        #expect(try shop.parse(["x", "-o", "--help"])["output"] == "--help")
    }

    @Test(
        "A slip of the finger is guessed",
        arguments: [(["x", "--folow"], "--follow"), (["x", "--outptu=1"], "--output")])
    func guesses(words: [String], guess: String) {
        let error = #expect(throws: UsageError.self) { try shop.parse(words) }

        #expect(error?.description.contains("did you mean \(guess)?") == true)
    }

    @Test("A word that is missing or too much is named", arguments: [([], "<name>"), (["-x"], "-x")])
    func places(words: [String], named: String) {
        let error = #expect(throws: UsageError.self) { try shop.parse(words) }

        #expect(error?.description.contains(named) == true)
        #expect(error?.command == "shop")
    }
}
