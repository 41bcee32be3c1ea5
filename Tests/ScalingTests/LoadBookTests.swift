import JSON
import KubernetesTypes
import Scaling
import Testing

@Suite("Adding up what gateways report")
struct LoadBookTests {
    private let key = ObjectKey(namespace: "n", name: "f")

    private func report(
        _ gateway: String, at uptime: Double, busy: Double? = nil, inFlight: Int = 0, idle: Double = 0
    ) -> LoadReport {
        LoadReport(
            gateway: gateway, uptimeSeconds: uptime,
            functions: busy.map {
                [FunctionLoad(namespace: "n", name: "f", inFlight: inFlight, busySeconds: $0, idleSeconds: idle)]
            } ?? [])
    }

    @Test("The mean number of calls at once is what their time grew by, at all gateways together")
    func mean() {
        var book = LoadBook()
        _ = book.take([report("a", at: 10, busy: 100), report("b", at: 50, busy: 7)], isComplete: true)

        let sample = book.take(
            [report("a", at: 12, busy: 106, inFlight: 4), report("b", at: 54, busy: 9, inFlight: 1)], isComplete: true)[
                key]

        #expect(sample.concurrency == 3.5 && sample.inFlight == 5 && sample.isComplete)
    }

    @Test("A gateway that is new, or counts anew, counts with the calls under way")
    func new() {
        var book = LoadBook()
        _ = book.take([report("a", at: 10, busy: 100)], isComplete: true)

        let sample = book.take(
            [report("a", at: 12, busy: 102), report("c", at: 900, busy: 5000, inFlight: 3)], isComplete: true)[key]

        #expect(sample.concurrency == 4)
    }

    @Test("A function's first call at a gateway that is known counts whole")
    func firstCall() {
        var book = LoadBook()
        _ = book.take([report("a", at: 10)], isComplete: true)

        let sample = book.take([report("a", at: 12, busy: 1)], isComplete: true)[key]

        #expect(sample.concurrency == 0.5)
    }

    @Test("A function is idle as long as it is at every gateway, and never longer than any of them runs")
    func idle() {
        var book = LoadBook()

        let known = book.take(
            [report("a", at: 1000, busy: 1, idle: 300), report("b", at: 2000, busy: 1, idle: 200)], isComplete: true)
        let restarted = book.take(
            [report("a", at: 1002, busy: 1, idle: 302), report("c", at: 5)], isComplete: true)
        let never = book.take([report("a", at: 1004), report("c", at: 7)], isComplete: true)

        #expect(known[key].idle == .seconds(200))
        #expect(restarted[key].idle == .seconds(5))
        #expect(never[key].idle == .seconds(7) && never[key].concurrency == 0)
    }

    @Test("Nobody heard is nothing known", arguments: [true, false])
    func silence(isComplete: Bool) {
        var book = LoadBook()

        let sample = book.take([], isComplete: isComplete)[key]

        #expect(sample == LoadSample(concurrency: 0, inFlight: 0, idle: nil, isComplete: false))
    }

    @Test("A gateway's counts that ran back, and numbers beyond any measure, do no harm")
    func hostile() {
        var book = LoadBook()
        _ = book.take([report("a", at: 10, busy: 100)], isComplete: true)

        let back = book.take([report("a", at: 12, busy: 1, inFlight: -5)], isComplete: true)[key]
        let huge = book.take(
            [
                report("a", at: 1e300, busy: 1e300, inFlight: .max, idle: 1e300),
                report("b", at: -1, busy: -1e300, inFlight: .max, idle: -1),
            ], isComplete: true)[key]

        #expect(back.concurrency == 0 && back.inFlight == 0)
        #expect(huge.inFlight == .max && huge.idle == .zero)
    }

    @Test("A report is a small document that reads back as it was")
    func document() throws {
        let report = report("a", at: 12.5, busy: 1.25, inFlight: 2, idle: 0)

        let bytes = try JSONWriter().encode(report)
        let read = try JSONReader().decode(LoadReport.self, from: bytes)

        #expect(read == report)
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == #"{"functions":[{"busySeconds":1.25,"idleSeconds":0.0,"inFlight":2,"name":"f","namespace":"n"}],"gateway":"a","uptimeSeconds":12.5}"#
        )
    }
}
