import Commands
import Cryptography
import HTTP
import Synchronization
import Testing

@testable import CommandLine

@Suite("A client of the Function Builder API", .timeLimit(.minutes(10)))
struct BuilderClientTests {
    private static let success = #"{"image":"r/hello:1","status":"success","duration":1.0}"#
    private static let key = Array("secret".utf8)

    /// Builds the bytes `hello` and returns the result with what was told.
    private func build(
        _ dialect: BuilderClient.Dialect = .streaming, _ script: @escaping FakeBuilder.Script
    ) async throws -> (result: Result<BuildResult, any Error>, told: [String], requests: [FakeBuilder.Received]) {
        let place = try ScratchPlace()
        try place.write("hello", to: "context.tar")
        let builder = try FakeBuilder(script)
        var client = BuilderClient(place: try AddressedBuilder(builder.url), secret: Self.key, dialect: dialect)
        client.patience.pause = .milliseconds(1)
        client.patience.pauseMaximum = .milliseconds(1)
        client.patience.breakPause = .milliseconds(1)
        client.patience.triesMaximum = 5
        client.patience.returnsMaximum = 4
        client.patience.breaksMaximum = 2
        client.patience.resendsMaximum = 2
        let told = Told()
        let result: Result<BuildResult, any Error>
        do {
            result = .success(try await client.build(place.path + "/context.tar") { told.add($0) })
        } catch {
            result = .failure(error)
        }
        let requests = builder.requests
        await builder.stop()
        return (result, told.lines, requests)
    }

    private final class Told: Sendable {
        private let kept = Mutex<[String]>([])
        func add(_ line: String) { kept.withLock { $0.append(line) } }
        var lines: [String] { kept.withLock { $0 } }
    }

    @Test("The body is signed as a whole, and the stream's log and result are told")
    func streaming() async throws {
        let (result, told, requests) = try await build { _, _ in
            FakeBuilder.stream([#"{"log":["one"],"status":"in_progress"}"#, Self.success])
        }

        #expect(try result.get().image == "r/hello:1")
        #expect(told == ["one"])
        let request = try #require(requests.first)
        #expect(request.path == "/build")
        #expect(request.body == Array("hello".utf8))
        #expect(request.headers["Accept"] == "application/x-ndjson")
        // The vector of facts §1.3.
        #expect(
            request.headers["X-Build-Signature"]
                == "sha256=88aab3ede8d3adf94d26ab90d3bafd4a2083070c3bcce9c014ee04a443847c0b")
    }

    @Test("The buffered dialect asks for no stream, and reads one object")
    func buffered() async throws {
        let (result, told, requests) = try await build(.buffered) { _, _ in
            .json(.ok, #"{"log":["one","two"],"image":"r/hello:1","status":"success","duration":2}"#)
        }

        #expect(try result.get().image == "r/hello:1")
        #expect(told == ["one", "two"])
        #expect(requests.first?.headers["Accept"] != "application/x-ndjson")
    }

    @Test("A build that breaks off is taken up by its id, and no line is told twice")
    func resumed() async throws {
        let (result, told, requests) = try await build { number, _ in
            number == 1
                ? FakeBuilder.stream([#"{"log":["one","two"],"status":"in_progress"}"#, nil], id: "b-1")
                : FakeBuilder.stream(
                    [#"{"log":["one","two","three"],"status":"in_progress"}"#, Self.success], id: "b-1")
        }

        #expect(try result.get().image == "r/hello:1")
        #expect(told.filter { !$0.contains("broke") } == ["one", "two", "three"])
        #expect(requests.map(\.path) == ["/build", "/build/b-1"])
        #expect(requests.map(\.method) == [.post, .get])
    }

    private static let interrupted =
        #"{"image":"r/hello:1","status":"failed","error":"it is being restarted","interrupted":true,"duration":1}"#

    @Test(
        "A build that a leaving builder gives up is sent again, in either dialect, and the person is told in one line")
    func interrupted() async throws {
        let streamed = try await build { number, _ in
            switch number {
            case 1: FakeBuilder.stream([#"{"log":["one"],"status":"in_progress"}"#, Self.interrupted], id: "b-1")
            case 2, 3: .text(.serviceUnavailable, "no endpoints available\n")
            default:
                FakeBuilder.stream([#"{"log":["one","two"],"status":"in_progress"}"#, Self.success], id: "b-1")
            }
        }
        let buffered = try await build(.buffered) { number, _ in
            number == 1 ? .json(.serviceUnavailable, Self.interrupted) : .json(.ok, Self.success)
        }

        #expect(try streamed.result.get().image == "r/hello:1")
        #expect(streamed.requests.map(\.path) == ["/build", "/build", "/build", "/build"])
        #expect(streamed.requests.allSatisfy { $0.body == Array("hello".utf8) })
        #expect(streamed.told.count { $0.contains("sending the build again") } == 1)
        #expect(streamed.told.filter { !$0.contains("127.0.0.1") } == ["one", "two"])
        #expect(try buffered.result.get().image == "r/hello:1")
        #expect(buffered.requests.count == 2)
    }

    @Test("A builder that is killed is waited for, and what it does not know any more is sent again")
    func killed() async throws {
        let (result, told, requests) = try await build { number, _ in
            switch number {
            case 1: FakeBuilder.stream([#"{"log":["one"],"status":"in_progress"}"#, nil], id: "b-1")
            case 2: .text(.badGateway, "nobody is there\n")
            case 3: .json(.notFound, #"{"status":"failed","error":"there is no build of this id"}"#)
            case 4: .json(.serviceUnavailable, #"{"status":"failed","error":"the builder is starting"}"#)
            default: FakeBuilder.stream([Self.success], id: "b-1")
            }
        }

        #expect(try result.get().image == "r/hello:1")
        #expect(requests.map(\.path) == ["/build", "/build/b-1", "/build/b-1", "/build", "/build"])
        #expect(told.contains { $0.hasPrefix("waiting until http") })
    }

    @Test("A build that is given up each time has an end, with the builder's reason")
    func interruptedForEver() async throws {
        let (result, _, requests) = try await build { _, _ in FakeBuilder.stream([Self.interrupted], id: "b-1") }

        let failure = #expect(throws: CommandFailure.self) { try result.get() }
        #expect(failure?.description.contains("being restarted") == true)
        #expect(requests.count == 3)
    }

    @Test("A success that calls itself interrupted is a success, and a failure without the word is one")
    func notInterrupted() async throws {
        let good = try await build { _, _ in
            FakeBuilder.stream([#"{"image":"r/hello:1","status":"success","interrupted":true}"#])
        }
        let bad = try await build { _, _ in
            FakeBuilder.stream([#"{"status":"failed","error":"a step failed","interrupted":"true"}"#])
        }

        #expect(try good.result.get().image == "r/hello:1")
        #expect(throws: CommandFailure.self) { try bad.result.get() }
        #expect(bad.requests.count == 1)
    }

    @Test("A stream that ends without a last word is never a success", arguments: [nil, "b-1"])
    func unfinished(id: String?) async throws {
        let (result, _, requests) = try await build { _, _ in
            FakeBuilder.stream([#"{"log":["one"],"status":"in_progress"}"#], id: id)
        }

        #expect(throws: CommandFailure.self) { try result.get() }
        #expect(requests.count == (id == nil ? 1 : 3))
    }

    @Test("An id that is none is not put into a path", arguments: ["../x", "a b", "", "a%2Fb"])
    func strangeID(id: String) async throws {
        let (result, _, requests) = try await build { _, _ in FakeBuilder.stream([], id: id) }

        #expect(throws: CommandFailure.self) { try result.get() }
        #expect(requests.count == 1)
    }

    @Test("A full builder is asked again, and given up on in the end")
    func full() async throws {
        let busy = HTTPResponse(.tooManyRequests, headers: HTTPHeaders([("Retry-After", "1")]))

        let admitted = try await build { number, _ in number < 3 ? busy : FakeBuilder.stream([Self.success]) }
        let refused = try await build { _, _ in busy }

        #expect(try admitted.result.get().image == "r/hello:1")
        #expect(admitted.told.count == 1)
        #expect(refused.requests.count == 5)
        let failure = #expect(throws: CommandFailure.self) { try refused.result.get() }
        #expect(failure?.code == .timedOut)
    }

    @Test(
        "Refusals say what is wrong and what helps",
        arguments: [
            (401, #"{"status":"failed","error":"bad signature"}"#, ExitCode.refused, "bad signature"),
            (403, #"{"kind":"Status","message":"services \"x\" is forbidden"}"#, .refused, "is forbidden"),
            (404, #"{"kind":"Status","message":"services \"x\" not found"}"#, .notFound, "not found"),
            (400, #"{"status":"failed","error":"no Dockerfile"}"#, .failed, "no Dockerfile"),
            (500, #"{"status":"failed","error":"step failed","log":["l"]}"#, .failed, "step failed"),
            (502, "<html>Bad gateway</html>", .failed, "Bad gateway"),
            (503, #"{"status":"failed","error":"there is no payload secret"}"#, .failed, "no payload secret"),
            (200, "OK", .failed, "200"),
        ])
    func refusals(status: Int, body: String, code: ExitCode, text: String) async throws {
        let (result, _, _) = try await build { _, _ in .json(HTTPStatus(status), body) }

        let failure = #expect(throws: CommandFailure.self) { try result.get() }
        #expect(failure?.code == code)
        #expect(failure?.description.contains(text) == true, "\(failure?.description ?? "")")
    }

    @Test(
        "A builder's address may carry a path and /build",
        arguments: [
            ("http://a:1", "http://a:1"), ("http://a:1/", "http://a:1"), ("https://a/x/build", "https://a/x"),
            ("http://a/build/", "http://a"),
        ])
    func addresses(typed: String, url: String) throws {
        #expect(try AddressedBuilder(typed).url == url)
    }

    @Test("What is no address is not understood", arguments: ["a:1", "ftp://a", "http://u:p@a", "http://a?x=1", ""])
    func noAddress(typed: String) {
        #expect(throws: UsageError.self) { try AddressedBuilder(typed) }
    }
}

extension HTTPResponse {
    fileprivate static func json(_ status: HTTPStatus, _ text: String) -> HTTPResponse {
        HTTPResponse(
            status, headers: HTTPHeaders([("Content-Type", "application/json")]), body: .bytes(Array(text.utf8)))
    }
}
