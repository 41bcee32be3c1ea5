import Commands
import HTTP
import Synchronization
import Testing

@testable import CommandLine

@Suite("Commands for a server's REST API", .timeLimit(.minutes(10)))
struct ServerCommandTests {
    private static let hello = """
        {"name":"hello","namespace":"farebox-functions","image":"r/hello:1","replicas":2,"availableReplicas":1,
        "invocationCount":7,"createdAt":"2026-01-01T00:00:00Z","secrets":["word"]}
        """

    /// Types a command for a server that answers by paths; what it does not know is 404.
    private func type(
        _ words: [String], _ variables: [String: String] = [:], answers: [String: (Int, String)]
    ) async throws -> (output: String, errors: String, code: Int32, requests: [FakeBuilder.Received]) {
        let place = try ScratchPlace()
        let server = try FakeBuilder { _, request in
            let (status, text) =
                answers["\(request.method.rawValue) \(request.path)"] ?? (404, "there is nothing at this path\n")
            return .text(HTTPStatus(status), text)
        }
        let url = server.url
        let surroundings = ["HOME": place.path, "FAREBOX_SERVER": url + "/", "FAREBOX_TOKEN": "t0ken"]
            .merging(variables) { _, given in given }
        let (output, errors, code) = await typed(words, surroundings)
        let requests = server.requests
        await server.stop()
        return (output.replacing(url, with: "URL"), errors.replacing(url, with: "URL"), code, requests)
    }

    @Test("Functions are listed with where they are called, and the token goes along")
    func list() async throws {
        let answers = ["GET /system/functions": (200, "[\(Self.hello)]")]

        let (output, _, code, requests) = try await type(["list", "-n", "team"], answers: answers)
        let names = try await type(["list", "-o", "name"], answers: answers)

        #expect(code == 0)
        #expect(output.contains("hello   1/2        7"))
        #expect(output.contains("URL/function/hello.farebox-functions"))
        #expect(requests.first?.headers["Authorization"] == "Bearer t0ken")
        #expect(requests.first?.query == "namespace=team")
        #expect(names.output == "function.farebox.dev/hello\n")
        #expect(names.requests.first?.query == "")
    }

    @Test("All namespaces are asked for one by one")
    func everywhere() async throws {
        let (output, _, code, requests) = try await type(
            ["list", "-A"],
            answers: [
                "GET /system/namespaces": (200, #"["a","b"]"#), "GET /system/functions": (200, "[\(Self.hello)]"),
            ])

        #expect(code == 0)
        #expect(output.hasPrefix("NAMESPACE"))
        #expect(requests.map(\.query) == ["", "namespace=a", "namespace=b"])
    }

    @Test("A call takes no credentials with it, and its status decides how the process ends")
    func invoke() async throws {
        let well = try await type(
            ["invoke", "hello", "-d", "x", "--path", "/a?b=c", "-n", "team"],
            answers: ["POST /function/hello.team/a": (200, "answer")])
        let paid = try await type(["invoke", "hello"], answers: ["GET /function/hello": (402, "pay")])

        #expect(well.output == "answer")
        #expect(well.code == 0)
        #expect(well.requests.first?.headers["Authorization"] == nil)
        #expect(well.requests.first?.body == Array("x".utf8))
        #expect(paid.code == 4)
    }

    @Test("Replicas are set, and a refusal is told in the server's words")
    func scale() async throws {
        let looked = ["GET /system/function/hello": (200, Self.hello)]
        let well = try await type(
            ["scale", "hello", "3"], answers: looked.merging(["POST /system/scale-function/hello": (202, "")]) { $1 })
        let refused = try await type(
            ["scale", "hello", "3"],
            answers: looked.merging(["POST /system/scale-function/hello": (403, "no right to patch\n")]) { $1 })

        #expect(well.code == 0)
        #expect(well.errors.contains("2 → 3"))
        #expect(
            well.requests.last.map { String(decoding: $0.body, as: UTF8.self) }
                == #"{"replicas":3,"serviceName":"hello"}"#)
        #expect(refused.code == 4)
        #expect(refused.errors.contains("no right to patch"))
    }

    @Test("Nothing is removed where one of the names is wrong")
    func remove() async throws {
        let answers = ["GET /system/function/hello": (200, Self.hello), "DELETE /system/functions": (202, "")]

        let slip = try await type(["remove", "hello", "helo"], answers: answers)
        let both = try await type(["remove", "hello", "helo", "--ignore-absent"], answers: answers)

        #expect(slip.code == 3)
        #expect(!slip.requests.contains { $0.method == .delete })
        #expect(both.code == 0)
        #expect(both.requests.last.map { String(decoding: $0.body, as: UTF8.self) } == #"{"functionName":"hello"}"#)
    }

    @Test("Lines of a log come out as they were written, with their pod where there may be several")
    func logs() async throws {
        let lines = """
            {"name":"hello","instance":"a","timestamp":"2026-01-01T00:00:00Z","text":"one\\n"}

            {"name":"hello","instance":"b","timestamp":"2026-01-01T00:00:01Z","text":"two\\n"}

            """

        let (output, _, code, requests) = try await type(
            ["logs", "hello", "--tail", "5"],
            answers: ["GET /system/function/hello": (200, Self.hello), "GET /system/logs": (200, lines)])

        #expect(code == 0)
        #expect(output == "a | one\nb | two\n")
        #expect(requests.last?.query == "name=hello&follow=false&tail=5")
    }

    @Test("A Secret that functions name stays, unless somebody insists; values are in no answer")
    func secrets() async throws {
        let answers = [
            "GET /system/functions": (200, "[\(Self.hello)]"), "DELETE /system/secrets": (202, ""),
            "GET /system/secrets": (200, #"[{"name":"word","namespace":"n"}]"#),
        ]

        let kept = try await type(["secret", "remove", "word"], answers: answers)
        let gone = try await type(["secret", "remove", "word", "--force"], answers: answers)
        let list = try await type(["secret", "list"], answers: answers)

        #expect(kept.code == 4)
        #expect(kept.errors.contains("named by hello"))
        #expect(gone.code == 0)
        #expect(list.output == "NAME   NAMESPACE\nword   n\n")
    }

    @Test("A Secret's value goes byte for byte, changed where there is one, else made")
    func setSecret() async throws {
        let place = try ScratchPlace()
        try place.write("hunter2\n", to: "word")
        let words = ["secret", "set", "word", "--from-file", place.path + "/word"]

        let made = try await type(words, answers: ["POST /system/secrets": (202, "")])
        let changed = try await type(words, answers: ["PUT /system/secrets": (202, "")])

        #expect(made.errors.hasSuffix(": made\n"))
        #expect(made.requests.map(\.method) == [.put, .post])
        #expect(String(decoding: made.requests[1].body, as: UTF8.self) == #"{"name":"word","rawValue":"aHVudGVyMgo="}"#)
        #expect(changed.errors.hasSuffix(": changed\n"))
    }

    @Test(
        "A refusal ends the process with its code and says what to do",
        arguments: [
            (401, 4, "farebox login"), (403, 4, "may not"), (404, 3, "does not exist"), (409, 4, "refused"),
            (503, 1, "try again"), (504, 5, "not in time"), (500, 1, "500"), (302, 1, "302"),
        ])
    func refusals(status: Int, code: Int, words: String) async throws {
        let done = try await type(
            ["status", "hello"], answers: ["GET /system/function/hello": (status, "its words\u{1B}[2J")])

        #expect(Int(done.code) == code)
        #expect(done.errors.contains(words))
        #expect(!done.errors.contains("\u{1B}"))
    }

    @Test(
        "What a server cannot do is refused before it is asked",
        arguments: [
            ["list", "--selector", "a=b"], ["logs", "hello", "--build"], ["invoke", "hello", "--via", "url"],
            ["secret", "set", "word", "--owner", "alice"], ["list", "--server", "http://h", "--context", "c"],
            ["list", "--server", "nowhere"], ["rollback", "hello"], ["rollback", "hello", "--server", "http://h"],
            ["pay", "hello"], ["repo", "list"], ["repo", "sync", "shop"], ["repo", "add", "https://h/a/b"], ["doctor"],
            ["doctor", "--server", "http://h"],
        ])
    func clusterOnly(words: [String]) async throws {
        let done = try await type(words, answers: [:])

        #expect(done.code == 2, "\(done.errors)")
        #expect(done.errors.split(separator: "\n").count == 1)
        #expect(done.requests.allSatisfy { $0.path == "/system/function/hello" })
    }

    @Test("An answer that is none of the REST API's is told as such", arguments: ["<html>", "", "{"])
    func strangeAnswers(text: String) async throws {
        let done = try await type(["status", "hello"], answers: ["GET /system/function/hello": (200, text)])

        #expect(done.code == 1)
        #expect(done.errors.contains("check the address"))
    }

    @Test("A kubeconfig that is named counts more than the variables")
    func clusterFirst() async throws {
        let done = try await type(["list", "--kubeconfig", "/no/such/file"], answers: [:])

        #expect(done.code == 1)
        #expect(done.requests.isEmpty)
    }

    // MARK: Logging in

    @Test("Credentials are kept once the server knows them, used without a kubeconfig, and forgotten")
    func login() async throws {
        let place = try ScratchPlace()
        let server = try FakeBuilder { _, request in
            guard request.headers["Authorization"] == "Bearer good" else { return .text(.unauthorized, "who?") }
            return .text(.ok, request.path == "/system/info" ? #"{"provider":{}}"# : "[\(Self.hello)]")
        }
        let recorded = RecordedConsole(variables: ["HOME": place.path])
        let address = try ServerAddress(server.url)

        let refused = await #expect(throws: CommandFailure.self) {
            try await LoginCommand.logIn(to: address, .token("bad"), recorded.console)
        }
        try await LoginCommand.logIn(to: address, .token("good"), recorded.console)
        let listed = await typed(["list", "-o", "name"], ["HOME": place.path])
        let faaso = await typed(["list", "-o", "name"], ["HOME": place.path, "FAASO_SERVER": server.url + "/admin/"])
        let out = await typed(["logout"], ["HOME": place.path])
        let again = await typed(["logout"], ["HOME": place.path])
        await server.stop()

        #expect(refused?.code == .refused)
        #expect(!recorded.errors.contains("good"))
        #expect(listed.output == "function.farebox.dev/hello\n")
        #expect(faaso.output == listed.output)
        #expect(out.code == 0)
        #expect(again.code == 3)
    }
}
