import HTTP
import Testing
import Timing

@testable import AsyncCalls

@Suite("Calls as values")
struct CallValueTests {
    @Test("A call is read as it was written")
    func roundTrip() throws {
        let call = AsyncCall(
            callID: "caller's own", lane: .other, method: "PATCH", target: "/a/b?c=%20&d", host: "x.example",
            headers: [.init("A", ""), .init("A", "2")], body: Array(0...255), callbackURL: "https://example.org",
            acceptedAt: Timestamp(microseconds: 1_700_000_000_123_456), isPaid: true)

        #expect(try CallEnvelope.decode(CallEnvelope.encode(call)) == call)
    }

    static let hostile: [[UInt8]] = [
        [], [1], [1, 0, 0, 0], [2, 0, 0, 0, 0], [1, 0, 0, 0, 1], [1, 255, 255, 255, 255, 123],
        [1, 0, 0, 0, 2, 123, 125],
        [1, 0, 0, 0, 4] + Array("null".utf8), [1, 0, 0, 0, 2] + Array("[]".utf8), Array(repeating: 255, count: 1000),
    ]

    @Test("Bytes that are no call are refused", arguments: hostile)
    func refuses(bytes: [UInt8]) {
        #expect(throws: CallEnvelope.Malformed.self) { try CallEnvelope.decode(bytes) }
        #expect(DeadEnvelope.decode(bytes) == nil)
    }

    @Test("Every cut of a call is refused or keeps its meaning")
    func refusesCuts() throws {
        let whole = CallEnvelope.encode(.test(body: [1, 2, 3]))

        for count in 0..<(whole.count - 3) {
            #expect(throws: CallEnvelope.Malformed.self) { try CallEnvelope.decode(Array(whole[..<count])) }
        }
    }

    @Test(
        "Fields about the content and the call's meaning are kept; those about the connection and the client are not",
        arguments: [
            ("Content-Type", true), ("AUTHORIZATION", true), ("X-Hub-Signature-256", true), ("ce-id", true),
            ("traceparent", true), ("Cookie", false), ("Connection", false), ("Host", false),
            ("X-Forwarded-For", false),
            ("X-Callback-Url", false), ("X-Call-Id", false), ("Content-Length", false), ("Transfer-Encoding", false),
            ("Proxy-Authorization", false), ("Expect", false), ("Upgrade", false),
        ])
    func chooses(name: String, isKept: Bool) {
        #expect(CallHeaders.keeps(name) == isKept)
    }

    @Test(
        "A callback goes to an absolute URL of the web",
        arguments: [
            ("https://example.org", true), ("http://example.org:8080/a?b=c", true), ("HTTPS://EXAMPLE.ORG/", true),
            ("https://[2001:db8::1]/", true), ("example.org", false), ("/a", false), ("ftp://example.org", false),
            ("https://", false), ("https:///a", false), ("https://user@example.org/", false), ("https://:80/", false),
            ("https://example.org/a b", false), ("https://example.org/\u{e4}", false), ("file:///etc/passwd", false),
            ("https://example.org/\r\nX: y", false), ("https://example.org\\@evil/", false),
            ("https://example.org/" + String(repeating: "a", count: 3000), false), ("", false),
        ])
    func judgesURLs(text: String, isURL: Bool) {
        #expect(CallbackPoster.isURL(text) == isURL)
    }

    @Test("A callback tells which call of which function was answered how, and when it was accepted")
    func callback() throws {
        let call = AsyncCall.test(
            callbackURL: "https://example.org/done", acceptedAt: Timestamp(microseconds: 5_000_001))
        var outcome = CallOutcome(.answer, status: 404, headers: [.init("Content-Type", "a/b")], body: [7])
        outcome.duration = .milliseconds(1500)

        let callback = try #require(call.callback(after: outcome))

        #expect(callback.lane == .helloCallback && callback.method == "POST" && callback.body == [7])
        #expect(
            callback.target == "https://example.org/done" && callback.callID == call.callID && callback.id != call.id)
        let fields = Dictionary(uniqueKeysWithValues: callback.headers.map { ($0.name, $0.value) })
        #expect(fields["X-Function-Status"] == "404" && fields["X-Function-Name"] == "hello.functions")
        #expect(fields["X-Duration-Seconds"] == "1.500000" && fields["X-Start-Time"] == "5000001000")
        #expect(fields["Content-Type"] == "a/b" && fields["X-Call-Id"] == call.callID)
        #expect(callback.callback(after: outcome) == nil && AsyncCall.test().callback(after: outcome) == nil)
    }

    @Test(
        "Names become parts of subjects and names of consumers, and back",
        arguments: ["hello", "a-b", "a.b", "a_b", "A*>", "ü", "", "x y"])
    func names(text: String) {
        let token = JetStreamNames.token(text)

        #expect(token.utf8.allSatisfy { ($0 > 0x20 && $0 < 0x7F) } && !token.contains { ".*>/\\".contains($0) })
        #expect(JetStreamNames.text(token) == text)
    }

    @Test("A lane's subject names it, and no other")
    func subjects() {
        let names = JetStreamNames(prefix: "P")

        for lane in [CallLane.hello, .other, .helloCallback] {
            #expect(names.lane(subject: names.subject(lane)) == lane)
        }
        for subject in ["", "P", "Q.function.a.b", "P.other.a.b", "P.function.a", "P.function.a.b.c", "P.function._.b"]
        {
            #expect(names.lane(subject: subject) == nil)
        }
        #expect(Set([CallLane.hello, .other, .helloCallback].map { names.subject($0) }).count == 3)
    }

    @Test(
        "The number of deliveries is read from where a message is acknowledged",
        arguments: [
            ("$JS.ACK.S.C.3.10.11.1700000000.0", 3), ("$JS.ACK.dom.acc.S.C.4.10.11.1700000000.0.rnd", 4),
            ("$JS.ACK.S.C.x.10.11.1.0", nil), ("_INBOX.a.b", nil), ("", nil), ("$JS.ACK", nil),
        ] as [(String, Int?)])
    func deliveries(subject: String, count: Int?) {
        #expect(JetStreamNames.deliveries(acknowledgedAt: subject) == count)
    }
}
