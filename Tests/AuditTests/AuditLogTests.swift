import JSON
import Synchronization
import Telemetry
import Testing
import Timing

@testable import Audit

@Suite("The audit log", .timeLimit(.minutes(10)))
struct AuditLogTests {
    @Test("tells every sink each event, in order, until it has told all")
    func tells() async throws {
        let sinks = [Notebook("one"), Notebook("two")]
        let registry = MetricsRegistry()
        let log = AuditLog(source: "operator", sinks: sinks, registry: registry)
        for number in 1...50 { log.record(event("e\(number)")) }

        let running = Task { await log.run() }
        running.cancel()
        await running.value

        for sink in sinks { #expect(sink.seen == (1...50).map { "operator e\($0)" }) }
        #expect(text(registry).contains(#"farebox_audit_events_total{sink="one",result="told"} 50"#))
    }

    @Test("never waits for a sink that hangs: what does not fit is dropped and counted")
    func drops() async throws {
        let hanging = Notebook("hanging", hangs: true)
        let working = Notebook("working")
        let registry = MetricsRegistry()
        let log = AuditLog(source: "operator", sinks: [hanging, working], registry: registry, queueMaximum: 10)
        let running = Task { await log.run() }

        for number in 1...40 {
            log.record(event("e\(number)"))
            // The sink that works gets its turn, the other never gives its back; nothing tells when.
            while working.seen.count < number { try? await Task.sleep(for: .milliseconds(1)) }
        }

        #expect(working.seen.count == 40)
        let counts = text(registry)
        let dropped = (29...30).contains { counts.contains(#"sink="hanging",result="dropped"} \#($0)"#) }
        #expect(dropped, "one is being told, ten wait")
        #expect(!counts.contains(#"sink="working",result="dropped""#))
        hanging.release()
        running.cancel()
        await running.value
    }

    @Test("counts what a sink gives up")
    func failures() async throws {
        let registry = MetricsRegistry()
        let log = AuditLog(source: "webhook", sinks: [Notebook("broken", problem: "no")], registry: registry)
        log.record(event("e"))

        let running = Task { await log.run() }
        running.cancel()
        await running.value

        #expect(text(registry).contains(#"farebox_audit_events_total{sink="broken",result="failed"} 1"#))
    }

    private func event(_ id: String) -> AuditEvent {
        AuditEvent(id: id, actor: "alice", action: "BuildStarted", object: "Repository a/b")
    }

    private func text(_ registry: MetricsRegistry) -> String { String(decoding: registry.render(), as: UTF8.self) }
}

/// Notes what it is told.
final class Notebook: AuditSink {
    let name: String
    private let problem: String?
    private let notes = Mutex<[String]>([])
    private let gate: AsyncStream<Never>
    private let opener: AsyncStream<Never>.Continuation

    init(_ name: String, problem: String? = nil, hangs: Bool = false) {
        self.name = name
        self.problem = problem
        (gate, opener) = AsyncStream.makeStream()
        if !hangs { opener.finish() }
    }

    var seen: [String] { notes.withLock { $0 } }

    func release() { opener.finish() }

    func tell(_ event: AuditEvent, source: String) async -> String? {
        for await _ in gate {}
        notes.withLock { $0.append("\(source) \(event.id)") }
        return problem
    }
}
