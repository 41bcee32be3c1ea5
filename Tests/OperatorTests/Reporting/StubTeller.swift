import GitHosts
import Synchronization
import Telemetry
import Timing

@testable import Operator

/// A Git host that keeps what it is told, or fails as the test says.
///
/// What goes over the wire is tested where it is made; here it matters what is told, when, and how often.
final class StubTeller: StatusTelling {
    private struct State {
        var told: [CommitReport] = []
        var tries = 0
        var failure: GitHostError?
        var isHanging = false
    }

    private let state = Mutex(State())

    /// What arrived, in order.
    var told: [CommitReport] { state.withLock { $0.told } }
    /// What arrived as `a1b2c3d stack-deploy: pending`.
    var lines: [String] {
        told.map { "\($0.commit.prefix(3)) \($0.report.context): \($0.report.state.rawValue)" }
    }
    /// How often it was tried to tell something.
    var tries: Int { state.withLock { $0.tries } }

    func fail(_ failure: GitHostError?) { state.withLock { $0.failure = failure } }

    func hang(_ isHanging: Bool) { state.withLock { $0.isHanging = isHanging } }

    func tell(_ report: CommitReport, of access: GitAccess, at place: StatusPlace) async throws {
        while state.withLock({ $0.isHanging }) { try await ContinuousClock().sleep(for: .milliseconds(5)) }
        try state.withLock { state in
            state.tries += 1
            if let failure = state.failure { throw failure }
            state.told.append(report)
        }
    }
}

extension StatusReporter {
    convenience init(telling teller: StubTeller, metrics: MetricsRegistry) {
        self.init(
            teller: teller,
            places: StatusPlaces(
                gitHub: GitHubSettings(), gitLab: GitLabSettings(), settings: StatusSettings(),
                allowsPlainHTTP: false),
            target: StatusTarget(publicURL: "https://farebox.example.com", rootDomain: "farebox.example.com"),
            metrics: metrics, backoff: Backoff(base: .milliseconds(10), ceiling: .milliseconds(50)))
    }
}
