import CRDs
import Testing

@testable import Builds

@Suite("A funko.yml")
struct FunkoFileTests {
    private static let rules = {
        var rules = StackRules()
        rules.runtimes = ["flask", "kemal"]
        return rules
    }()

    private func read(
        _ text: String, path: String = "tools/historico/funko.yml", rules: StackRules = rules
    ) throws -> FunkoFile {
        try FunkoFile(Array(text.utf8), path: path, rules: rules)
    }

    @Test("makes its folder a function on port 3000 that answers /ping")
    func complete() throws {
        let file = try read(
            """
            name: Historico
            runtime: flask
            options:
              ship_packages: [libpq, curl]
              devel_packages: ["musl-dev"]
              healthcheck_options: "--interval=1m"
              copy_from_build: []
              shard_build_options: --release
              count: 3
              nothing:
            secrets: [user, pass]
            environment: {DB: nombres}
            future: 1
            """)

        let function = file.function
        #expect(function.name == "historico")
        #expect(function.runtime == "flask")
        #expect(function.handler == "tools/historico")
        #expect(function.port == 3000)
        #expect(function.health == FunctionHealth(path: "/ping"))
        #expect(
            function.options == [
                "ship_packages": .list(["libpq", "curl"]), "devel_packages": .list(["musl-dev"]),
                "healthcheck_options": .text("--interval=1m"), "copy_from_build": .list([]),
                "shard_build_options": .text("--release"), "count": .text("3"), "nothing": .text(""),
            ])
        #expect(function.secrets == ["user", "pass"])
        #expect(function.environment == ["DB": "nombres"])
        #expect(file.ignored == ["tools/historico/funko.yml: future (line 13, column 9)"])
    }

    @Test("becomes a Function with its port and health check")
    func specification() throws {
        let function = try read("name: one").function

        let spec = function.specification(owner: OwnerName("Alice"), image: "i", source: FunctionSource())

        #expect(spec.port == 3000)
        #expect(spec.health?.path == "/ping")
    }

    @Test(
        "names its function as FaaSO or as Kubernetes does",
        arguments: [
            ("Historico", "historico"), ("a1B2", "a1b2"), ("my-funko", "my-funko"), ("7", "7"), ("true", "true"),
        ])
    func names(text: String, name: String) throws {
        #expect(try read("name: \(text)").function.name == name)
    }

    @Test("in the root makes the root its folder, and without a runtime has a Dockerfile")
    func root() throws {
        let function = try read("name: one", path: "funko.yml").function

        #expect(function.handler == "")
        #expect(function.runtime == "dockerfile")
    }

    @Test("may say another path for its health check")
    func health() throws {
        let function = try read("name: one\nannotations: {com.openfaas.health.http.path: /up}").function

        #expect(function.health?.path == "/up")
    }

    @Test(
        "that is wrong is refused with the place of the fault",
        arguments: [
            ("", "line 1"), ("[]", "mapping"), ("runtime: flask", "name is missing"),
            ("name: [a]", "name must be a text"),
            ("name: My-Funko", "no name for a function"), ("name: my_funko", "line 1, column 7"),
            ("name: -a", "no name"),
            ("name: a.b", "no name"), ("name: \(String(repeating: "a", count: 64))", "no name"), ("name: é", "no name"),
            ("name: a\noptions: [b]", "line 2, column 10"), ("name: a\noptions: {b: {c: d}}", "line 2, column 14"),
            ("name: a\noptions: {b: [c, [d]]}", "list of texts"), ("name: a\nname: b", "there twice"),
            ("name: a\nsecrets: [A]", "no name for a Secret"), ("name: a\nlimits: {cpu: x}", "quantity"),
            ("name: {a", "line 2"), ("name: a\n\tb: c", "line 2"),
            (
                "name: a\noptions:\n" + (0...64).map { "  o\($0): x\n" }.joined(), "at most 64"
            ),
        ])
    func refused(text: String, message: String) {
        let failure = #expect(throws: BuildFailure.self) { try read(text) }

        #expect(failure?.reason == .stackInvalid)
        #expect(failure?.message.contains(message) == true, "\(failure?.message ?? "")")
        #expect(failure?.message.hasPrefix("tools/historico/funko.yml line") == true, "\(failure?.message ?? "")")
    }

    @Test("with an unknown runtime names those that are known")
    func runtime() {
        var strict = Self.rules
        strict.allowsDockerfile = false

        let unknown = #expect(throws: BuildFailure.self) { try read("name: a\nruntime: ../mine") }
        let absent = #expect(throws: BuildFailure.self) { try read("name: a", rules: strict) }

        #expect(unknown?.reason == .runtimeUnknown)
        #expect(unknown?.message.contains("line 2, column 10") == true, "\(unknown?.message ?? "")")
        #expect(unknown?.message.contains("known: dockerfile, flask, kemal") == true)
        #expect(absent?.reason == .runtimeUnknown)
        #expect(absent?.message.contains("known: flask, kemal") == true)
    }
}
