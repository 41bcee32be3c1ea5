import CRDs
import Testing

@testable import Builds

@Suite("The functions of a commit")
struct SourceFunctionsTests {
    private func read(
        _ files: [String: String], stackFile: String? = nil, rules: StackRules = StackRules(),
        variables: [String: String] = [:]
    ) async throws -> SourceFunctions {
        try await SourceFunctions.read(
            from: MemoryTree(files), stackFile: stackFile, rules: rules, variables: variables)
    }

    private func failure(_ files: [String: String], stackFile: String? = nil) async -> BuildFailure? {
        await #expect(throws: BuildFailure.self) { try await read(files, stackFile: stackFile) }
    }

    private static let stack = "functions:\n  cart: {lang: dockerfile, handler: cart}\n"

    // MARK: - Which files

    @Test("come from the stack file and from every folder with a funko.yml")
    func both() async throws {
        let source = try await read([
            "stack.yml": Self.stack, "cart/Dockerfile": "", "tools/Historico/funko.yml": "name: Historico\n",
            "funko.yml": "name: root-one\n", "a/notfunko.yml": "name: no\n", "b/funko.yml/x": "",
        ])

        #expect(source.functions.map(\.name) == ["cart", "root-one", "historico"])
        #expect(source.functions.map(\.handler) == ["cart", "", "tools/Historico"])
    }

    @Test("may all be folders")
    func onlyFunkos() async throws {
        let source = try await read(["one/funko.yml": "name: one", "two/funko.yml": "name: two"])

        #expect(source.functions.map(\.name) == ["one", "two"])
    }

    @Test("are those beside and below the stack file that the Repository names")
    func below() async throws {
        let source = try await read(
            [
                "shop/my.yml": Self.stack, "shop/x/funko.yml": "name: x", "other/funko.yml": "name: other",
                "stack.yml": "functions: {}",
            ], stackFile: "shop/my.yml")

        #expect(source.functions.map(\.name) == ["cart", "x"])
    }

    @Test("are missing when there is neither")
    func missing() async {
        let none = await failure(["README.md": "", "a/stack.yml": Self.stack])
        let named = await failure(["x/funko.yml": "name: x"], stackFile: "my.yml")

        #expect(none?.reason == .stackMissing)
        #expect(named?.reason == .stackMissing)
        #expect(named?.message.contains("my.yml") == true)
    }

    @Test("have one name each, and both places are told")
    func twice() async {
        let mixed = await failure(["stack.yml": Self.stack, "x/funko.yml": "name: Cart"])
        let funkos = await failure(["a/funko.yml": "name: one", "b/funko.yml": "name: ONE"])

        #expect(mixed?.reason == .stackInvalid)
        #expect(mixed?.message.contains("stack.yml and in x/funko.yml") == true, "\(mixed?.message ?? "")")
        #expect(funkos?.message.contains("a/funko.yml and in b/funko.yml") == true, "\(funkos?.message ?? "")")
    }

    @Test("are limited in number together")
    func tooMany() async {
        let many = Dictionary(uniqueKeysWithValues: (0..<500).map { ("f\($0)/funko.yml", "name: f\($0)") })
        let list = "functions:\n" + (0..<500).map { "  f\($0): {lang: dockerfile, handler: a}\n" }.joined()

        let folders = await failure(many)
        let entries = await failure(["stack.yml": list])

        for failure in [folders, entries] {
            #expect(failure?.reason == .stackInvalid)
            #expect(failure?.message.contains("500") == true && failure?.message.contains("at most 50") == true)
        }
    }

    @Test("come from files within the limit")
    func tooLarge() async {
        let large = "#" + String(repeating: "x", count: 256 << 10)

        let stack = await failure(["stack.yml": large])
        let funko = await failure(["x/funko.yml": large])

        for failure in [stack, funko] {
            #expect(failure?.reason == .stackInvalid)
            #expect(failure?.message.contains("bytes") == true)
        }
    }

    // MARK: - Environment files

    @Test("take variables from files: later ones win, and all win over those in line")
    func environmentFiles() async throws {
        let source = try await read([
            "stack.yml": """
            functions:
              cart:
                lang: dockerfile
                handler: cart
                environment: {A: inline, B: inline, C: inline}
                environment_file: [./env/one.yml, env/two.yml]
            """,
            "env/one.yml": "environment: {B: one, C: one}", "env/two.yml": "environment:\n  C: 2\n  D:\n",
        ])

        #expect(source.functions.first?.environment == ["A": "inline", "B": "one", "C": "2", "D": ""])
    }

    @Test(
        "refuse environment files that are none",
        arguments: [
            ("env.yml", nil, "stack.yml line 5, column 24: functions.cart.environment_file: env.yml is no file"),
            ("../env.yml", nil, "without '..'"), ("/etc/passwd", nil, "without '..'"),
            ("env.yml", "environment: [x]", "env.yml line 1, column 14"), ("env.yml", "[]", "env.yml line 1"),
            ("env.yml", "environment: {a: [}", "env.yml: line 1"),
            ("env.yml", "environment: {a: b}\nenvironment: {}", "there twice"),
        ] as [(String, String?, String)])
    func badEnvironmentFile(path: String, content: String?, message: String) async {
        var files = [
            "stack.yml": """
            functions:
              cart:
                lang: dockerfile
                handler: cart
                environment_file: [\(path)]
            """
        ]
        files["env.yml"] = content

        let failure = await failure(files)

        #expect(failure?.reason == .stackInvalid)
        #expect(failure?.message.contains(message) == true, "\(failure?.message ?? "")")
    }

    @Test("refuse an environment file behind a link, and one that is too large")
    func linkedEnvironmentFile() async {
        let text = "functions: {a: {lang: dockerfile, handler: a, environment_file: [e.yml]}}"
        let linked = MemoryTree([
            ("stack.yml", .file, Array(text.utf8)), ("e.yml", .link, Array("/etc/passwd".utf8)),
        ])

        let failure = await #expect(throws: BuildFailure.self) {
            try await SourceFunctions.read(from: linked, stackFile: nil, rules: StackRules())
        }
        let large = await self.failure([
            "stack.yml": text, "e.yml": "environment: {a: \(String(repeating: "x", count: 64 << 10))}",
        ])

        #expect(failure?.message.contains("links are not followed") == true)
        #expect(large?.message.contains("e.yml has more than 65536 bytes") == true)
    }

    // MARK: - configuration

    @Test("get the files that configuration.copy names")
    func copy() async throws {
        let source = try await read([
            "stack.yml": "configuration: {copy: [./common/, LICENSE, common], templates: [{name: go}]}\n" + Self.stack,
            "common/a.txt": "", "LICENSE": "",
        ])

        #expect(source.functions.first?.extraPaths == ["common", "LICENSE"])
        #expect(
            source.ignored == ["configuration.templates (line 1, column 64: runtimes are the administrator's)"])
    }

    @Test(
        "refuse paths of configuration.copy that lead out or nowhere",
        arguments: [
            ("../other", "inside the repository"), ("/etc", "inside the repository"), (".", "inside the repository"),
            ("missing", "missing is not in the commit"), ("a/../../b", "inside the repository"),
            ("[x]", "list of paths"),
        ])
    func badCopy(path: String, message: String) async {
        let failure = await failure(["stack.yml": "configuration:\n  copy: [\(path)]\n" + Self.stack])

        #expect(failure?.reason == .stackInvalid)
        #expect(failure?.message.contains(message) == true, "\(failure?.message ?? "")")
        #expect(failure?.message.contains("stack.yml line 2, column 10") == true, "\(failure?.message ?? "")")
    }
}
