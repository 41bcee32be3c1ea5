import Commands
import Testing

@testable import CommandLine

@Suite("A builder's answer, line by line")
struct BuildStreamTests {
    private static let lines = """
        {"log":["v: 1 [internal] load"],"status":"in_progress","duration":0.004}
        {"status":"in_progress","duration":1}
        {"log":["one","two"],"status":"in_progress","duration":0.1}
        {"image":"r/hello:1","status":"success","digest":"sha256:\(String(repeating: "a", count: 64))","duration":1.0}

        """

    @Test("Lines of the log and the result come out, however the bytes are cut", arguments: [1, 7, 64, 10_000])
    func pieces(size: Int) throws {
        var stream = BuildStream()
        var log: [String] = []

        var rest = Array(Self.lines.utf8)[...]
        while !rest.isEmpty {
            log += try stream.take(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }

        #expect(log == ["v: 1 [internal] load", "one", "two"])
        #expect(stream.result?.image == "r/hello:1")
        #expect(stream.result?.digest?.utf8.count == 71)
        #expect(stream.result?.error == nil)
    }

    @Test("After a break only what was not seen is told again")
    func again() throws {
        var stream = BuildStream(seen: 2)

        let log = try stream.take(Array(Self.lines.utf8))

        #expect(log == ["two"])
        #expect(stream.lines == 3)
    }

    @Test("Lines about a queue are not counted, since they come and go")
    func queue() throws {
        var stream = BuildStream(seen: 1)
        let line = #"{"log":["v: 2026-01-01T00:00:00Z [queue] 2 before","one","two"],"status":"in_progress"}"# + "\n"

        let log = try stream.take(Array(line.utf8))

        #expect(log == ["v: 2026-01-01T00:00:00Z [queue] 2 before", "two"])
        #expect(stream.lines == 2)
    }

    @Test(
        "Every word for a failure counts as one",
        arguments: [
            (#"{"status":"failed","error":"no"}"#, "no"), (#"{"status":"failure: no"}"#, "failure: no"),
            (#"{"status":"unexpected failure","log":null}"#, "unexpected failure"),
        ])
    func failures(line: String, error: String) throws {
        var stream = BuildStream()

        _ = try stream.take(Array((line + "\n").utf8))

        #expect(stream.result?.error == error)
    }

    @Test("What no builder says is refused", arguments: ["<html>\n", "[]\n", "{\"a\":\n", "\u{0}\n"])
    func nonsense(line: String) {
        var stream = BuildStream()

        #expect(throws: CommandFailure.self) { try stream.take(Array(line.utf8)) }
    }

    @Test("A line without an end is not kept without end")
    func endless() {
        var stream = BuildStream()

        #expect(throws: CommandFailure.self) {
            for _ in 0..<40 { _ = try stream.take([UInt8](repeating: 0x20, count: 64 << 10)) }
        }
    }

    @Test(
        "A digest that is none is not believed",
        arguments: ["sha256:abc", "md5:\(String(repeating: "a", count: 67))", ""])
    func digests(text: String) {
        let part = BuildResult.part(Array(#"{"status":"success","image":"x","digest":"\#(text)"}"#.utf8))

        #expect(part?.result.digest == nil)
        #expect(part?.status == .succeeded)
    }
}
