import JSON
import KubernetesTypes
import Testing

@testable import KubernetesClient

@Suite("Cutting watch streams into events")
struct WatchTests {
    @Test("Lines come out whole however the stream is cut", arguments: 1...12)
    func splits(size: Int) throws {
        let text = Array("{\"a\":1}\n\n{\"b\":\"ä\"}\r\n{\"c\":3}\nrest".utf8)
        var splitter = LineSplitter(lineBytesMaximum: 100)
        var lines: [String] = []

        for start in stride(from: 0, to: text.count, by: size) {
            let piece = Array(text[start..<min(start + size, text.count)])
            lines += try splitter.take(piece).map { String(decoding: $0, as: UTF8.self) }
        }

        #expect(lines == ["{\"a\":1}", "{\"b\":\"ä\"}\r", "{\"c\":3}"])
        #expect(splitter.pendingBytes == 4)
    }

    @Test("A line may be as long as the limit and no longer, in one piece or in many")
    func limits() throws {
        for pieceSize in [1, 7, 100] {
            for (length, isAllowed) in [(10, true), (11, false)] {
                let line = [UInt8](repeating: UInt8(ascii: "x"), count: length) + [UInt8(ascii: "\n")]
                var splitter = LineSplitter(lineBytesMaximum: 10)
                var isRefused = false
                for start in stride(from: 0, to: line.count, by: pieceSize) where !isRefused {
                    do {
                        _ = try splitter.take(Array(line[start..<min(start + pieceSize, line.count)]))
                    } catch {
                        isRefused = true
                    }
                }
                #expect(isRefused != isAllowed)
            }
        }
    }

    private func decode(_ text: String) throws -> WatchEvent<ConfigMap> {
        try RawWatchEvent(bytes: Array(text.utf8)).decode(ConfigMap.self)
    }

    private func object(_ metadata: String) -> String {
        #"{"apiVersion":"v1","kind":"ConfigMap","metadata":\#(metadata)}"#
    }

    @Test("Events of every type are told apart")
    func types() throws {
        for (type, check) in [("ADDED", 0), ("MODIFIED", 1), ("DELETED", 2)] {
            let event = try decode(#"{"type":"\#(type)","object":\#(object(#"{"name":"a","resourceVersion":"7"}"#))}"#)
            switch (event, check) {
            case (.added(let object), 0), (.modified(let object), 1), (.deleted(let object), 2):
                #expect(object.metadata.resourceVersion == "7")
            default: Issue.record("unexpected \(event)")
            }
        }
        let bookmark = try decode(
            #"{"type":"BOOKMARK","object":\#(object(#"{"resourceVersion":"9","annotations":{"k8s.io/initial-events-end":"true"}}"#))}"#
        )
        guard case .bookmark("9", endsInitialEvents: true) = bookmark else {
            Issue.record("unexpected \(bookmark)")
            return
        }
        let error = try decode(
            #"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","reason":"Expired","code":410}}"#)
        guard case .error(let status) = error else {
            Issue.record("unexpected \(error)")
            return
        }
        #expect(KubernetesError.api(status).isExpired)
    }

    @Test(
        "What is not for us is skipped with a reason",
        arguments: [
            #"{}"#, #"[]"#, #"{"type":"ADDED"}"#, #"{"type":"ADDED","object":{"kind":"Secret","apiVersion":"v1"}}"#,
            #"{"type":"ADDED","object":{"kind":"ConfigMap","apiVersion":"v2"}}"#,
            #"{"type":"SOMETHING","object":{"apiVersion":"v1","kind":"ConfigMap","metadata":{}}}"#,
        ])
    func unknown(text: String) throws {
        guard case .unknown(let reason) = try decode(text) else {
            Issue.record("not skipped")
            return
        }
        #expect(!reason.isEmpty)
    }

    @Test(
        "What is no event is an error",
        arguments: [
            "", "{", #"{"type":"ADDED","object":{"kind":"ConfigMap","apiVersion":"v1","metadata":5}}"#, "\u{0}",
            #"{"type":"ADDED","object":{"kind":"ConfigMap","apiVersion":"v1"}}"#,
        ])
    func malformed(text: String) {
        #expect(throws: KubernetesError.self) { try decode(text) }
    }

    @Test("A stream with an endless line ends with an error and is cancelled")
    func endlessLine() async throws {
        let bytes = EndlessBytes()
        let stream = WatchStream(bytes, request: "watch x", eventBytesMaximum: 1000)

        await #expect(throws: KubernetesError.self) { try await stream.next() }

        #expect(bytes.isCancelled)
    }
}
