import GitHosts
import Testing
import Timing

@testable import Operator

@Suite("What is still to be told")
struct ReportQueueTests {
    private let now = ContinuousClock.now

    private func queue(told: [String: String] = [:]) -> ReportQueue {
        ReportQueue(told: told, occasion: "1", backoff: Backoff(base: .seconds(5), ceiling: .seconds(600)))
    }

    private func report(_ context: String, _ state: StatusState, commit: String = "a") -> CommitReport {
        CommitReport(commit: commit, report: StatusReport(context: context, state: state, description: state.rawValue))
    }

    /// Tells everything that waits.
    private func drain(_ queue: inout ReportQueue) -> [String] {
        var lines: [String] = []
        while let report = queue.next(now: now) {
            lines.append("\(report.commit) \(report.report.context) \(report.report.state.rawValue)")
            queue.ended(report, .told, now: now)
        }
        return lines
    }

    @Test("goes out once and in order")
    func once() {
        var queue = queue()
        let begun = [report("stack-deploy", .pending), report("cart", .pending)]

        queue.want(begun, occasion: "1")
        let first = drain(&queue)
        queue.want(begun, occasion: "1")
        let second = drain(&queue)
        queue.want([report("cart", .success), report("stack-deploy", .success)], occasion: "1")
        let third = drain(&queue)

        #expect(first == ["a stack-deploy pending", "a cart pending"])
        #expect(second == [])
        #expect(third == ["a cart success", "a stack-deploy success"])
    }

    @Test("is replaced by what is newer, which takes its own place in the order")
    func replaced() {
        var queue = queue()
        queue.want([report("stack-deploy", .pending), report("cart", .pending)], occasion: "1")

        queue.want([report("cart", .success), report("stack-deploy", .success)], occasion: "1")

        #expect(drain(&queue) == ["a cart success", "a stack-deploy success"])
    }

    @Test("leaves out what another process told")
    func remembered() {
        let reports = [report("stack-deploy", .success), report("cart", .success)]
        var first = queue()
        first.want(reports, occasion: "1")
        _ = drain(&first)

        var second = queue(told: ReportMarks.read(first.digest))
        second.want(reports, occasion: "1")

        #expect(second.next(now: now) == nil)
        #expect(second.digest == first.digest)
        #expect(first.digest?.utf8.count == 29)
    }

    @Test("is not told again when a context is missing for a moment, also of what another process told")
    func missingForAMoment() {
        let all = [report("cart", .success), report("stack-deploy", .success)]
        var first = queue()
        first.want(all, occasion: "1")
        _ = drain(&first)
        let digest = first.digest

        first.want([all[1]], occasion: "2")
        let inBetween = first.digest
        first.want(all, occasion: "2")
        var second = queue(told: ReportMarks.read(digest))
        second.want([all[1]], occasion: "1")
        let inherited = second.digest
        second.want(all, occasion: "1")

        #expect(drain(&first) == [])
        #expect(drain(&second) == [])
        #expect(inBetween == digest)
        #expect(inherited == digest)
    }

    @Test("forgets the marks of a commit that nobody speaks of any more")
    func otherCommits() {
        var queue = queue(told: ReportMarks.read("0123456789abcd"))
        queue.want([report("cart", .success)], occasion: "1")
        _ = drain(&queue)
        queue.want([report("cart", .success, commit: "b")], occasion: "1")
        _ = drain(&queue)

        #expect(queue.digest == report("cart", .success, commit: "b").mark)
    }

    @Test("tells an end anew that another process told before it began again")
    func inheritedEnd() {
        var first = queue()
        first.want([report("cart", .success)], occasion: "1")
        _ = drain(&first)
        var second = queue(told: ReportMarks.read(first.digest))

        second.want([report("cart", .pending)], occasion: "1")
        let begun = drain(&second)
        second.want([report("cart", .success)], occasion: "1")

        #expect(begun == ["a cart pending"])
        #expect(drain(&second) == ["a cart success"])
    }

    @Test("waits longer and longer after failures, and as long as the host asks")
    func backoff() {
        var queue = queue()
        queue.want([report("cart", .success)], occasion: "1")
        var waits: [Duration] = []
        for _ in 0..<3 {
            queue.ended(report("cart", .success), .later("500", after: nil), now: now)
            waits.append((queue.retryAt ?? now) - now)
        }
        queue.ended(report("cart", .success), .later("429", after: .seconds(900)), now: now)

        #expect(waits == [.seconds(5), .seconds(10), .seconds(20)])
        #expect(queue.retryAt == now + .seconds(900))
        #expect(queue.next(now: now + .seconds(899)) == nil)
        #expect(queue.next(now: now + .seconds(900)) != nil)
        #expect(queue.trouble == "429")
    }

    @Test("forgets its troubles when it worked again")
    func recovery() {
        var queue = queue()
        queue.want([report("cart", .success)], occasion: "1")
        queue.ended(report("cart", .success), .later("500", after: nil), now: now)

        queue.ended(report("cart", .success), .told, now: now)

        #expect(queue.trouble == nil)
        #expect(queue.retryAt == nil)
        #expect(queue.waiting.isEmpty)
    }

    @Test("puts aside what is refused, until somebody asks for another try")
    func refused() {
        var queue = queue()
        let reports = [report("cart", .success), report("till", .success)]
        queue.want(reports, occasion: "1")
        queue.ended(reports[0], .refused("403"), now: now)
        let rest = drain(&queue)
        queue.want(reports, occasion: "1")
        let again = drain(&queue)
        let wasRefused = queue.isRefused
        queue.want(reports, occasion: "2")
        let asked = drain(&queue)

        #expect(rest == ["a till success"])
        #expect(again == [])
        #expect(wasRefused)
        #expect(queue.trouble == nil)
        #expect(asked == ["a cart success"])
    }

    @Test("closes what this process left pending on a commit that is given up")
    func closing() {
        var queue = queue()
        queue.want(
            [report("stack-deploy", .pending), report("cart", .pending), report("till", .pending)], occasion: "1")
        _ = drain(&queue)
        queue.want([report("cart", .success)], occasion: "1")
        _ = drain(&queue)

        queue.want([report("stack-deploy", .cancelled), report("stack-deploy", .pending, commit: "b")], occasion: "1")

        #expect(Set(drain(&queue)) == ["a stack-deploy cancelled", "b stack-deploy pending", "a till cancelled"])
        queue.want([report("stack-deploy", .cancelled), report("stack-deploy", .pending, commit: "b")], occasion: "1")
        #expect(drain(&queue) == [])
    }

    @Test("tells a state anew when it comes back")
    func flapping() {
        var queue = queue()
        var lines: [String] = []
        for state in [StatusState.pending, .success, .pending] {
            queue.want([report("cart", state)], occasion: "1")
            lines += drain(&queue)
        }

        #expect(lines == ["a cart pending", "a cart success", "a cart pending"])
    }

    @Test("has a limit, and so have the marks")
    func limits() {
        var queue = queue()
        let reports = (0..<5000).map { report("f\($0)", .pending) }

        queue.want(reports, occasion: "1")
        let count = queue.waiting.count
        while let report = queue.next(now: now) { queue.ended(report, .told, now: now) }

        #expect(count == ReportQueue.waitingMaximum)
        #expect((queue.digest ?? "").utf8.count <= 16_384)
        #expect(queue.digest != nil)
    }

    @Test("is told apart by everything but its text and its target's query")
    func marks() {
        var first = report("cart", .failure)
        first.report.targetURL = "https://x/log?token=1"
        var second = first
        second.report.targetURL = "https://x/log?token=2"
        second.report.text = "more"
        var third = first
        third.report.targetURL = "https://x/other?token=1"

        #expect(first.mark == second.mark)
        #expect(first.mark != third.mark)
        #expect(first.mark != report("cart", .failure, commit: "b").mark)
        #expect(ReportMarks.read(nil).isEmpty)
        #expect(ReportMarks.read(String(repeating: ".", count: 100_000)).isEmpty)
        #expect(ReportMarks.read("x.y.0123456789abcdef").isEmpty)
    }
}
