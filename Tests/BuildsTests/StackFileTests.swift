import CRDs
import KubernetesTypes
import Testing

@testable import Builds

@Suite("A stack file")
struct StackFileTests {
    private func read(
        _ text: String, rules: StackRules = StackRules(), variables: [String: String] = [:]
    ) throws -> StackFile {
        try StackFile(Array(text.utf8), name: "stack.yml", rules: rules, variables: variables)
    }

    private static let full = """
        version: 1.0
        provider:
          name: openfaas
          gateway: http://127.0.0.1:8080
        functions:
          cart:
            lang: dockerfile
            handler: ./shop/cart/
            image: alice/cart:0.2
            fprocess: python index.py
            build_args: {VERSION: 1.10, DEBUG: true, EMPTY: ""}
            environment:
              GREETING: hello
              PORT: 8080
              NULLED:
            secrets: [token, db]
            labels: {team: web, role: openfaas-system}
            annotations:
              topic: orders
              com.openfaas.health.http.path: /health
              com.openfaas.health.http.initialDelay: 5s
              prometheus.io/scrape: "true"
            limits: {memory: 128Mi, cpu: 500m}
            requests: {memory: 64Mi, cpu: 0.1}
            readonly_root_filesystem: false
            unknown_key: [1, 2]
          root:
            lang: Dockerfile
            handler: .
        """

    @Test("is read with everything that is acted on")
    func complete() throws {
        let stack = try read(Self.full, rules: StackRules(allowedLabels: ["team"]))

        let cart = try #require(stack.functions.first)
        #expect(stack.functions.map(\.name) == ["cart", "root"])
        #expect(cart.handler == "shop/cart")
        #expect(cart.image == "alice/cart:0.2")
        #expect(cart.buildArguments == ["VERSION": "1.10", "DEBUG": "true", "EMPTY": ""])
        #expect(cart.environment == ["GREETING": "hello", "PORT": "8080", "NULLED": ""])
        #expect(cart.secrets == ["token", "db"])
        #expect(cart.labels == ["team": "web"])
        #expect(cart.annotations["topic"] == "orders")
        #expect(cart.annotations["prometheus.io/scrape"] == nil)
        #expect(cart.resources?.limits?.memory == Quantity("128Mi"))
        #expect(cart.resources?.requests?.cpu == Quantity("100m"))
        #expect(cart.process == "python index.py")
        #expect(cart.readOnlyRootFilesystem == false)
        #expect(stack.functions[1].handler == "")
        #expect(stack.functions[1].image == "root")
        #expect(stack.functions[1].runtime == "dockerfile")
    }

    @Test("tells what it sets in vain, with its place")
    func ignored() throws {
        let stack = try read(Self.full, rules: StackRules(allowedLabels: ["team"]))

        #expect(
            stack.ignored == [
                "functions.cart.labels.role (line 17, column 31)",
                "functions.cart.annotations.prometheus.io/scrape (line 22, column 29)",
            ])
    }

    @Test("becomes a Function with the owner's secrets and the health path")
    func specification() throws {
        let cart = try #require(try read(Self.full).functions.first)

        let spec = cart.specification(
            owner: OwnerName("Alice"), image: "r/a@sha256:00", source: FunctionSource(repository: "shop"))

        #expect(spec.secrets == ["alice-token", "alice-db"])
        #expect(spec.health?.path == "/health")
        #expect(spec.health?.initialDelay == "5s")
        #expect(spec.environment["fprocess"] == "python index.py")
        #expect(spec.image == "r/a@sha256:00")
    }

    @Test(
        "that is wrong is refused with the place of the fault",
        arguments: [
            ("", "line 1"), ("[]", "functions"), ("functions:", "at least one"), ("functions: {}", "at least one"),
            ("version: 2\nfunctions: {a: {lang: dockerfile, handler: a}}", "line 1, column 10"),
            ("provider: {name: faas}\nfunctions: {a: {lang: dockerfile, handler: a}}", "must be openfaas"),
            ("functions:\n  a: 7", "line 2, column 6"), ("functions:\n  a: {handler: a}", "lang is missing"),
            ("functions:\n  a: {lang: dockerfile}", "handler"),
            ("functions:\n  a: {lang: dockerfile, handler: ../a}", "inside the repository"),
            ("functions:\n  a: {lang: dockerfile, handler: /etc}", "inside the repository"),
            ("functions:\n  A_b: {lang: dockerfile, handler: a}", "line 2, column 3"),
            ("functions:\n  -a: {lang: dockerfile, handler: a}", "no name for a function"),
            (
                "functions:\n  a: {lang: dockerfile, handler: a}\n  a: {lang: dockerfile, handler: a}",
                "line 3, column 3: the key \"a\" is there twice, first at line 2, column 3"
            ),
            ("functions:\n  a: {lang: dockerfile, handler: a, secrets: x}", "must be a list"),
            ("functions:\n  a: {lang: dockerfile, handler: a, secrets: [A]}", "no name for a Secret"),
            ("functions:\n  a: {lang: dockerfile, handler: a, secrets: [x, x]}", "twice"),
            ("functions:\n  a: {lang: dockerfile, handler: a, environment: [x]}", "mapping of texts"),
            ("functions:\n  a: {lang: dockerfile, handler: a, environment: {x: {y: z}}}", "must be a text"),
            ("functions:\n  a: {lang: dockerfile, handler: a, environment: {1x: z}}", "no name for a variable"),
            ("functions:\n  a: {lang: dockerfile, handler: a, limits: {memory: much}}", "quantity"),
            (
                "functions:\n  a: {lang: dockerfile, handler: a, limits: {cpu: 1}, requests: {cpu: 2}}",
                "above the limit"
            ),
            ("functions:\n  a: {lang: dockerfile, handler: a, readonly_root_filesystem: maybe}", "true or false"),
            ("functions: {a: [}", "line 1"), ("functions: &a {a: *a}", "line 1"), ("\u{0}", "line 1"),
        ])
    func refused(text: String, message: String) {
        let failure = #expect(throws: BuildFailure.self) { try read(text) }

        #expect(failure?.reason == .stackInvalid)
        #expect(failure?.message.contains(message) == true, "\(failure?.message ?? "")")
        #expect(failure?.message.hasPrefix("stack.yml") == true)
    }

    @Test("with an unknown runtime names those that are known")
    func runtime() {
        let failure = #expect(throws: BuildFailure.self) {
            try read("functions:\n  a: {lang: python3, handler: a}")
        }

        #expect(failure?.reason == .runtimeUnknown)
        #expect(failure?.message.contains("line 2") == true)
        #expect(failure?.message.contains("known: dockerfile") == true)
    }

    @Test("has limits for its size and its functions")
    func limits() {
        let many = "functions:\n" + (0...50).map { "  f\($0): {lang: dockerfile, handler: a}\n" }.joined()
        let large = "#" + String(repeating: "x", count: 256 << 10)

        let tooMany = #expect(throws: BuildFailure.self) { try read(many) }
        let tooLarge = #expect(throws: BuildFailure.self) { try read(large) }

        #expect(tooMany?.message.contains("at most 50") == true)
        #expect(tooLarge?.message.contains("bytes") == true)
    }

    @Test("is found under its two names, or the given one, and never through a link")
    func find() throws {
        func tree(_ entries: (String, SourceEntry.Kind)...) -> MemoryTree {
            MemoryTree(entries.map { ($0.0, $0.1, Array("x".utf8)) })
        }

        #expect(try StackFile.find(in: tree(("stack.yaml", .file)), path: nil)?.path == "stack.yaml")
        #expect(
            try StackFile.find(in: tree(("stack.yaml", .file), ("stack.yml", .file)), path: nil)?.path == "stack.yml")
        #expect(try StackFile.find(in: tree(("a/b.yml", .file)), path: "a/b.yml")?.path == "a/b.yml")
        #expect(try StackFile.find(in: tree(("other", .file)), path: nil) == nil)
        for (tree, path) in [(tree(("stack.yml", .link)), nil), (tree(("stack.yml", .file)), "a.yml")] {
            let failure = #expect(throws: BuildFailure.self) { try StackFile.find(in: tree, path: path) }
            #expect(failure?.reason == .stackMissing)
        }
    }
}
