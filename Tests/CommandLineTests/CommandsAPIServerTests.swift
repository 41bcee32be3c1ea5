import CRDs
import Commands
import Glibc
import JSON
import KubernetesClient
import KubernetesTypes
import MemoryCluster
import Testing

@testable import CommandLine

@Suite(
    "Commands on a real API server", .enabled(if: APIServer.kubeconfig != nil, Comment(rawValue: APIServer.remedy)),
    .timeLimit(.minutes(10)))
struct CommandsAPIServerTests {
    /// Runs a test in a namespace of its own, which the variable names for commands.
    private func inNamespace(_ body: (Client, String) async throws -> Void) async throws {
        let client = try await APIServer.client
        let name = "command-line-\(UInt32.random(in: 0 ... .max))"
        _ = try await client.create(Namespace(metadata: ObjectMeta(name: name)))
        do {
            try await body(client, name)
        } catch {
            try? await client.delete(Namespace.self, ObjectKey(name: name))
            throw error
        }
        try await client.delete(Namespace.self, ObjectKey(name: name))
    }

    private func type(_ words: [String], in namespace: String) async -> (output: String, errors: String, code: Int32) {
        await typed(
            words + ["--kubeconfig", APIServer.kubeconfig ?? ""], ["FAREBOX_NAMESPACE": namespace])
    }

    private func function(_ name: String, _ namespace: String, change: (inout Function) -> Void = { _ in }) -> Function
    {
        var function = Function(
            metadata: ObjectMeta(name: name, namespace: namespace), spec: FunctionSpec(image: "r/\(name):1"))
        change(&function)
        return function
    }

    @Test("Functions are listed for people and for programs, and none is said so")
    func lists() async throws {
        try await inNamespace { client, namespace in
            let nothing = await type(["list"], in: namespace)
            _ = try await client.create(function("b", namespace))
            _ = try await client.create(function("a", namespace))

            let table = await type(["list"], in: namespace)
            let names = await type(["ls", "-o", "name"], in: namespace)
            let json = await type(["list", "-o=json"], in: namespace)

            #expect(nothing.output.isEmpty && nothing.errors.contains("There are no functions") && nothing.code == 0)
            #expect(table.output.split(separator: "\n").map { $0.split(separator: " ")[0] } == ["NAME", "a", "b"])
            #expect(names.output == "function.farebox.dev/a\nfunction.farebox.dev/b\n")
            let items = try JSONReader().parse(json.output)["items"]?.arrayValue ?? []
            #expect(items.map { $0[path: "metadata", "name"] } == ["a", "b"])
            #expect(items.first?["kind"] == "Function")
            #expect(items.first?[path: "spec", "image"] == "r/a:1")
        }
    }

    @Test("What does not exist ends with 3 and says what does", arguments: [["status"], ["remove"], ["logs"], ["pay"]])
    func notFound(words: [String]) async throws {
        try await inNamespace { _, namespace in
            let answer = await type(words + ["nobody"], in: namespace)

            #expect(answer.code == 3)
            #expect(answer.errors.contains("function nobody in namespace \(namespace) does not exist"))
            #expect(answer.errors.contains("farebox list -n \(namespace)"))
        }
    }

    @Test("A wait that takes too long ends with 5")
    func timesOut() async throws {
        try await inNamespace { client, namespace in
            _ = try await client.create(function("hello", namespace))

            let answer = await type(["status", "hello", "--wait", "--timeout", "100ms"], in: namespace)

            #expect(answer.code == 5)
            #expect(answer.errors.contains("not ready within 100ms"))
        }
    }

    @Test("A function is scaled inside of its range, and refused outside")
    func scales() async throws {
        try await inNamespace { client, namespace in
            _ = try await client.create(function("hello", namespace) { $0.spec.scale = FunctionScale(max: 4) })

            let done = await type(["scale", "hello", "3"], in: namespace)
            let refused = await type(["scale", "hello", "5"], in: namespace)

            #expect(done.code == 0)
            #expect(refused.code == 4)
            let found = try await client.get(Function.self, ObjectKey(namespace: namespace, name: "hello"))
            #expect(found.spec.replicas == 3)
        }
    }

    @Test("Functions are removed together or not at all, and a Repository's never")
    func removes() async throws {
        try await inNamespace { client, namespace in
            _ = try await client.create(function("mine", namespace))
            _ = try await client.create(
                function("theirs", namespace) { $0.spec.source = FunctionSource(repository: "shop") })

            let refused = await type(["remove", "mine", "theirs"], in: namespace)
            let stayed = await type(["list", "-o", "name"], in: namespace).output
            let done = await type(["rm", "mine", "--wait"], in: namespace)
            let again = await type(["rm", "mine", "--ignore-absent"], in: namespace)

            #expect(refused.code == 4 && stayed.contains("/mine"))
            #expect(done.code == 0 && again.code == 0)
            #expect(await type(["list", "-o", "name"], in: namespace).output == "function.farebox.dev/theirs\n")
        }
    }

    @Test("A Secret is made, changed, listed and removed, and one that is not for functions is left alone")
    func secrets() async throws {
        try await inNamespace { client, namespace in
            let file = "/tmp/farebox-command-line-\(namespace)"
            try #require(InputFileWriter.write(file, "value"))
            defer { InputFileWriter.remove(file) }
            let key = ObjectKey(namespace: namespace, name: "key")
            _ = try await client.create(
                Secret(metadata: ObjectMeta(name: "other", namespace: namespace), data: ["a": Base64Bytes(utf8: "b")]))

            let made = await type(["secret", "set", "key", "--from-file", file, "--owner", "alice"], in: namespace)
            let changed = await type(["secret", "set", "key", "--from-file", file], in: namespace)
            let secret = try await client.get(Secret.self, key)
            let listed = await type(["secret", "list", "-o", "json"], in: namespace)
            let foreign = await type(["secret", "set", "other", "--from-file", file], in: namespace)
            _ = try await client.create(function("hello", namespace) { $0.spec.secrets = ["key"] })
            let used = await type(["secret", "rm", "key"], in: namespace)
            let removed = await type(["secret", "rm", "key", "--force"], in: namespace)

            #expect(made.code == 0 && made.errors.contains("made") && changed.errors.contains("changed"))
            #expect(secret["key"] == Array("value".utf8))
            #expect(secret.metadata.labels[FareboxLabel.owner] == "alice")
            #expect(listed.output.contains("\"key\"") && !listed.output.contains("\"other\""))
            #expect(!listed.output.contains("dmFsdWU"))
            #expect(foreign.code == 4 && used.code == 4 && used.errors.contains("hello"))
            #expect(removed.code == 0)
            #expect(await type(["secret", "rm", "key"], in: namespace).code == 3)
        }
    }

    @Test("A repository is added once, listed, and asked to look again")
    func repositories() async throws {
        try await inNamespace { client, namespace in
            let url = "https://git.example.com/Alice/Shop.git"

            let added = await type(["repo", "add", url, "--branch", "live"], in: namespace)
            let again = await type(["repo", "add", url], in: namespace)
            let wrong = await type(["repo", "add", "https://user:password@git.example.com/a/b"], in: namespace)
            let synced = await type(["repo", "sync", "alice-shop"], in: namespace)
            let listed = await type(["repo", "list"], in: namespace)

            let found = try await client.get(Repository.self, ObjectKey(namespace: namespace, name: "alice-shop"))
            #expect(added.code == 0 && found.spec.branch == "live" && found.spec.url == url)
            #expect(again.code == 4)
            #expect(wrong.code == 2 && !wrong.errors.contains("password@"))
            #expect(synced.code == 0 && found.metadata.annotations[FareboxAnnotation.reconcileRequestedAt] != nil)
            #expect(listed.output.contains("alice-shop") && listed.output.contains("live"))
            #expect(await type(["repo", "sync", "nothing"], in: namespace).code == 3)
        }
    }

    @Test("An earlier image is put back; of a repository's function only with its suspension")
    func rollsBack() async throws {
        try await inNamespace { client, namespace in
            let (old, new) = (
                "r/x@sha256:" + String(repeating: "a", count: 64), "r/x@sha256:" + String(repeating: "b", count: 64)
            )
            var repository = Repository(
                metadata: ObjectMeta(name: "shop", namespace: namespace),
                spec: RepositorySpec(url: "https://git.example.com/a/shop"))
            _ = try await client.create(repository)
            var entry = RepositoryFunction(name: "x", state: .deployed)
            entry.objectName = "a-x"
            entry.image = new
            entry.previousImages = [old]
            repository.status = RepositoryStatus()
            repository.status?.functions = [entry]
            _ = try await client.applyStatus(repository, as: "tests")
            _ = try await client.create(
                function("a-x", namespace) {
                    $0.spec.image = new
                    $0.spec.source = FunctionSource(repository: "shop")
                })

            let listed = await type(["rollback", "a-x", "--list", "-o", "name"], in: namespace)
            let refused = await type(["rollback", "a-x", "--to", "aaaa"], in: namespace)
            let done = await type(["rollback", "a-x", "--to", "aaaa", "--suspend"], in: namespace)

            let key = ObjectKey(namespace: namespace, name: "a-x")
            #expect(listed.output == "\(new)\n\(old)\n")
            #expect(refused.code == 4 && refused.errors.contains("--suspend"))
            #expect(done.code == 0)
            #expect(try await client.get(Function.self, key).spec.image == old)
            let after = try await client.get(Repository.self, ObjectKey(namespace: namespace, name: "shop"))
            #expect(after.spec.suspend == true)
        }
    }

    @Test("Names are completed from the cluster")
    func completes() async throws {
        try await inNamespace { client, namespace in
            _ = try await client.create(function("hello", namespace))
            let recorded = RecordedConsole(variables: ["FAREBOX_NAMESPACE": namespace])
            let tree = CommandTree(PersonCommands.all(recorded.console))

            await CompletionCommand.answer(
                ["status", "--kubeconfig", APIServer.kubeconfig ?? "", "he"], tree, recorded.console)

            #expect(recorded.output == "hello\n:4\n")
        }
    }
}

/// Files of a test.
private enum InputFileWriter {
    static func write(_ path: String, _ text: String) -> Bool {
        guard let file = fopen(path, "w") else { return false }
        defer { fclose(file) }
        return fputs(text, file) >= 0
    }

    static func remove(_ path: String) { unlink(path) }
}
