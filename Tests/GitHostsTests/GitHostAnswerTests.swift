import HTTP
import Testing
import Timing

@testable import GitHosts

@Suite("An answer of a Git host")
struct GitHostAnswerTests {
    private let now = Timestamp(secondsSinceEpoch: 1_700_000_000)

    private func error(
        _ status: Int, _ headers: [(String, String)] = [], _ body: String = ""
    ) -> GitHostError? {
        GitHostAnswer.error(
            in: HTTPClientResponse(
                status: HTTPStatus(status), headers: HTTPHeaders(headers), body: Array(body.utf8)),
            what: "the status", now: now)
    }

    @Test("that is a success is no error", arguments: [200, 201, 202, 204])
    func success(status: Int) { #expect(error(status) == nil) }

    @Test("that can change by itself is worth another try", arguments: [408, 429, 500, 502, 503, 504])
    func later(status: Int) {
        guard case .later(_, nil) = error(status) else {
            Issue.record("\(String(describing: error(status)))")
            return
        }
    }

    @Test("that says no is final", arguments: [400, 403, 404, 409, 410, 422, 301, 302, 307, 308])
    func refused(status: Int) {
        guard case .refused = error(status) else {
            Issue.record("\(String(describing: error(status)))")
            return
        }
    }

    @Test("of 401 is about the token")
    func unauthorized() {
        guard case .unauthorized = error(401) else {
            Issue.record("\(String(describing: error(401)))")
            return
        }
    }

    @Test(
        "tells how long to wait, within reason",
        arguments: [
            (429, "Retry-After", "30", 30), (403, "Retry-After", "60", 60), (503, "Retry-After", "5", 5),
            (429, "X-RateLimit-Reset", "1700000120", 120), (429, "RateLimit-Reset", "1700000010", 10),
            (429, "X-RateLimit-Reset", "1699999000", 0), (429, "Retry-After", "999999999999999999", 3600),
        ])
    func waits(status: Int, name: String, value: String, seconds: Int) {
        guard case .later(_, let wait) = error(status, [(name, value)]) else {
            Issue.record("not worth another try")
            return
        }
        #expect(wait == .seconds(seconds))
    }

    @Test(
        "with a time that is none is waited for as usual",
        arguments: ["-5", "soon", "", "1e3", "99999999999999999999999", "Fri, 31 Dec 1999 23:59:59 GMT"])
    func oddWaits(value: String) {
        guard case .later(_, nil) = error(429, [("Retry-After", value)]) else {
            Issue.record("\(String(describing: error(429, [("Retry-After", value)])))")
            return
        }
    }

    @Test("of 403 is a rate limit when it says so, and a refusal otherwise")
    func forbidden() {
        let limited = [
            error(403, [("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "1700000060")]),
            error(403, [], #"{"message": "You have exceeded a secondary rate limit."}"#),
        ]
        let refused = error(403, [("X-RateLimit-Remaining", "12")], #"{"message": "Resource not accessible"}"#)

        for error in limited {
            guard case .later = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
        #expect(refused?.description.contains("Resource not accessible") == true)
        guard case .refused = refused else {
            Issue.record("not final")
            return
        }
    }

    @Test("repeats a bounded line of the host's own words, whatever they are")
    func words() {
        let long = String(repeating: "x", count: 5000)

        #expect(GitHostAnswer.words(in: Array(#"{"message": "a\nb\u001bc"}"#.utf8)) == "a b c")
        #expect(GitHostAnswer.words(in: Array(#"{"error": "invalid_token"}"#.utf8)) == "invalid_token")
        #expect(GitHostAnswer.words(in: Array(#"{"message": {"state": ["bad"]}}"#.utf8)) == #"{"state":["bad"]}"#)
        #expect(GitHostAnswer.words(in: Array(#"{"message": "\#(long)"}"#.utf8)).utf8.count == 200)
        #expect(GitHostAnswer.words(in: Array("<html>".utf8)) == "")
        #expect(GitHostAnswer.words(in: []) == "")
    }

    @Test("that leads elsewhere says where")
    func redirect() {
        let error = error(301, [("Location", "https://api.github.com/repositories/7")])

        #expect(error?.description.contains("https://api.github.com/repositories/7") == true)
    }
}
