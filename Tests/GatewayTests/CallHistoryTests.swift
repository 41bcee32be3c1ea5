import JSON
import Testing

@testable import Gateway
@testable import HTTP

@Suite("How calls went")
struct CallHistoryTests {
    @Test("Calls are counted minute by minute for an hour, and all together for ever")
    func minutes() {
        var history = CallHistory()
        history.count(status: 200, minute: 100)
        history.count(status: 302, minute: 100)
        history.count(status: 404, minute: 101)
        history.count(status: 499, minute: 130)

        #expect(history.counts(ofLast: 1, minute: 100) == .init(success: 2, failure: 0))
        #expect(history.counts(ofLast: 2, minute: 101) == .init(success: 2, failure: 1))
        #expect(history.counts(ofLast: 30, minute: 130) == .init(success: 0, failure: 2))
        #expect(history.counts(ofLast: 31, minute: 130) == .init(success: 2, failure: 2))
        #expect(history.counts(ofLast: 60, minute: 159) == .init(success: 2, failure: 2))
        #expect(history.counts(ofLast: 60, minute: 160) == .init(success: 0, failure: 2))
        #expect(history.counts(ofLast: 60, minute: 5000) == .init())
        #expect(history.total == .init(success: 2, failure: 2))

        history.count(status: 200, minute: 160)
        #expect(history.counts(ofLast: 60, minute: 160) == .init(success: 1, failure: 2), "its place was minute 100's")
    }

    @Test("Any window and any minute is taken", arguments: [Int.min, -1, 0, 1, 61, Int.max], [0, 1, UInt32.max])
    func extremes(window: Int, minute: UInt32) {
        var history = CallHistory()
        history.count(status: 500, minute: minute)

        #expect(history.counts(ofLast: window, minute: minute).failure == 1)
    }

    @Test("The internal port tells how the calls of functions went that were called")
    func report() throws {
        let fixture = RoutingFixture()
        fixture.add("busy")
        fixture.add("shut", admission: .closed(status: 503, reason: "It is suspended."))
        fixture.add("idle")
        for function in ["busy", "busy", "shut"] { _ = try fixture.decide("/function/\(function)", host: "x") }
        func functions(_ query: String) throws -> JSONValue? {
            guard case .bytes(let bytes) = CallReport(source: fixture.source).answer(query: query).body else {
                return nil
            }
            return try JSONReader().parse(bytes)["functions"]
        }

        #expect(
            try functions("window=5") == [
                "busy.functions": ["total": 2, "success": 2, "failure": 0],
                "shut.functions": ["total": 1, "success": 0, "failure": 1],
            ])
        #expect(try functions("function=shut.functions")?.objectValue?.keys == ["shut.functions"])
        #expect(try functions("function=nobody.functions") == [:])
        for wrong in ["window=0", "window=61", "window=x", "window="] {
            #expect(CallReport(source: fixture.source).answer(query: wrong).status == .badRequest)
        }
    }
}
