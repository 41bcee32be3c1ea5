import Cryptography
import Glibc
import HTTP
import JSON
import Synchronization
import Telemetry
import Testing
import Timing

@testable import Audit

@Suite("Sinks of audit events", .timeLimit(.minutes(10)))
struct AuditSinkTests {
    private let event = AuditEvent(
        id: "e1", time: Timestamp(secondsSinceEpoch: 0), actor: "alice", action: "FunctionDeployed",
        object: "Function f/alice-hello", owner: "Alice", repository: "shop", result: .succeeded,
        detail: "line\none")

    @Test("A line is one JSON object whatever the texts hold")
    func line() async throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { close(ends[0]) }

        let problem = await AuditLines(fileDescriptor: ends[1]).tell(event, source: "operator")

        close(ends[1])
        #expect(problem == nil)
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(ends[0], &bytes, bytes.count)
        let line = String(decoding: bytes[..<max(count, 0)], as: UTF8.self)
        #expect(line.filter { $0 == "\n" }.count == 1 && line.hasSuffix("\n"))
        #expect(try JSONReader().parse(line) == event.value(source: "operator"))
        #expect(try JSONReader().parse(line)["time"] == "1970-01-01T00:00:00.000000Z")
    }

    @Test("A broken pipe is a failure, not the end")
    func brokenPipe() async throws {
        let problem = await AuditLines(fileDescriptor: -1).tell(event, source: "operator")

        #expect(problem != nil)
    }

    @Test("A post carries the HMAC of its raw body")
    func signature() async throws {
        try await Receiver.with([.ok]) { receiver in
            let sink = AuditWebhook(url: receiver.url, client: HTTPClient()) { Array("key".utf8) }

            let problem = await sink.tell(event, source: "webhook")

            #expect(problem == nil)
            let post = try #require(receiver.posts.first)
            let expected = "sha256=" + Hex.encode(HMAC.sha256(key: Array("key".utf8), message: post.body))
            #expect(post.headers["X-Farebox-Signature"] == expected)
            #expect(post.headers["Content-Type"] == "application/json")
            #expect(try JSONReader().parse(post.body)["audit"] == "FunctionDeployed")
        }
    }

    @Test("The signature is that of the known vector")
    func vector() {
        let signature = AuditWebhook.signature(
            of: Array("Hello, World!".utf8), secret: Array("It's a Secret to Everybody".utf8))

        #expect(signature == "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")
    }

    @Test("Nothing is sent without a secret")
    func noSecret() async throws {
        try await Receiver.with([.ok]) { receiver in
            let problem = await AuditWebhook(url: receiver.url, client: HTTPClient()) { nil }.tell(event, source: "x")

            #expect(problem != nil)
            #expect(receiver.posts.isEmpty)
        }
    }

    @Test(
        "A fault that may pass is tried again, a refusal is not",
        arguments: [
            ([HTTPStatus.internalServerError, .ok], 2, true), ([HTTPStatus(429), .ok], 2, true),
            ([HTTPStatus.badRequest, .ok], 1, false), ([HTTPStatus.ok], 1, true),
            ([HTTPStatus(503), HTTPStatus(503), HTTPStatus(503), .ok], 3, false),
        ])
    func retries(answers: [HTTPStatus], posts: Int, isTold: Bool) async throws {
        try await Receiver.with(answers) { receiver in
            let delivery = AuditDelivery(
                client: HTTPClient(), backoff: Backoff(base: .milliseconds(1), ceiling: .milliseconds(2)),
                timeout: .seconds(60))
            let sink = AuditWebhook(url: receiver.url, delivery: delivery) { Array("key".utf8) }

            let problem = await sink.tell(event, source: "operator")

            #expect((problem == nil) == isTold)
            #expect(receiver.posts.count == posts)
            #expect(problem?.contains(receiver.url) != true)
        }
    }

    @Test("Slack gets one line, and nothing in it calls a channel")
    func slack() async throws {
        try await Receiver.with([.ok]) { receiver in
            var event = event
            event.detail = "<!channel> & more"
            let url = receiver.url

            let problem = await AuditSlack(client: HTTPClient()) { url }.tell(event, source: "operator")

            #expect(problem == nil)
            let text = try JSONReader().parse(try #require(receiver.posts.first).body)["text"]?.stringValue
            #expect(
                text
                    == "[operator] Alice/shop: 'FunctionDeployed Function f/alice-hello by alice: succeeded: "
                    + "&lt;!channel&gt; &amp; more'")
        }
    }

    @Test("Long texts are cut between characters", arguments: ["ä", "a", "🙂"])
    func cut(character: String) {
        let text = AuditEvent.cut(String(repeating: character, count: 5000))

        #expect(text.utf8.count <= AuditEvent.textBytesMaximum)
        #expect(text.hasSuffix("…"))
        #expect(text.utf8.count > AuditEvent.textBytesMaximum - 8)
    }
}

@Suite("The section audit")
struct AuditConfigurationTests {
    @Test("tells what is wrong")
    func problems() {
        var configuration = AuditConfiguration()
        #expect(configuration.validate().isEmpty)

        configuration.url = "ftp://x"
        configuration.secretFile = ""
        configuration.slackURL = "https://hooks.example.com/x"
        configuration.slackURLFile = "/x"

        #expect(
            configuration.validate().map { String($0.prefix { $0 != ":" }) } == ["url", "secretFile", "slackURLFile"])
    }

    @Test("takes a secret from its file, without the white space that editors add")
    func file() throws {
        let path = "/tmp/farebox-audit-\(Hex.encode(randomBytes(6)))"
        let file = try #require(fopen(path, "w"))
        fputs(" s3cret \n", file)
        fclose(file)
        defer { unlink(path) }

        #expect(AuditConfiguration.text(ofFile: path) == Array("s3cret".utf8))
        #expect(AuditConfiguration.text(ofFile: path + "x") == nil)
        #expect(AuditConfiguration.text(ofFile: "/") == nil)
        #expect(AuditConfiguration.text(ofFile: "/dev/zero") == nil)
    }
}

/// An HTTP server that notes posts and answers in turn, the last answer for ever.
private final class Receiver: Sendable {
    struct Post: Sendable {
        let headers: HTTPHeaders
        let body: [UInt8]
    }

    private let state: Mutex<(answers: [HTTPStatus], posts: [Post])>
    private let port = Mutex<UInt16>(0)

    private init(_ answers: [HTTPStatus]) { state = Mutex((answers, [])) }

    var posts: [Post] { state.withLock { $0.posts } }
    var url: String { "http://127.0.0.1:\(port.withLock { $0 })/hook?token=abc" }

    private func answer(_ request: HTTPRequest) async -> HTTPResponse {
        let body = (try? await request.body.collect(maximumBytes: 1 << 20)) ?? []
        let status = state.withLock { state in
            state.posts.append(Post(headers: request.headers, body: body))
            return state.answers.count > 1 ? state.answers.removeFirst() : state.answers[0]
        }
        return HTTPResponse(status)
    }

    static func with(_ answers: [HTTPStatus], _ body: (Receiver) async throws -> Void) async throws {
        let receiver = Receiver(answers)
        var settings = HTTPServerConfiguration()
        settings.address = "127.0.0.1"
        let server = HTTPServer(configuration: settings) { await receiver.answer($0) }
        let port = try server.start()
        receiver.port.withLock { $0 = port }
        let running = Task { try await server.run() }
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(receiver))
        } catch {
            result = .failure(error)
        }
        running.cancel()
        _ = await running.result
        try result.get()
    }
}
