import Synchronization

/// Named checks behind one path, answered as Kubernetes components do.
///
/// `/readyz` says `ok` or which check failed, `?verbose` lists all, `?exclude=name` leaves one out, and `/readyz/name` asks
/// for one. Why a check fails is not told to whoever asks; it belongs in the log.
public final class HealthChecks: Sendable {
    /// What to answer.
    struct Answer: Equatable, Sendable {
        let status: Int
        let text: String
    }

    /// Whether all is well.
    public typealias Check = @Sendable () -> Bool

    /// The path's name, such as `readyz`.
    public let name: String

    private let checks = Mutex<[(name: String, check: Check)]>([])

    /// Makes an empty set, which is healthy.
    public init(name: String) {
        self.name = name
    }

    /// Adds a check; it must answer at once, from what is known.
    public func add(_ name: String, _ check: @escaping Check) {
        checks.withLock { checks in
            checks.removeAll { $0.name == name }
            checks.append((name, check))
        }
    }

    /// Names of the checks that fail now.
    public var failing: [String] {
        checks.withLock { $0 }.filter { !$0.check() }.map(\.name)
    }

    /// Answers a request for the path itself.
    func answer(query: [(name: String, value: String)]) -> Answer {
        let isVerbose = query.contains { $0.name == "verbose" }
        var excluded = Set(query.filter { $0.name == "exclude" }.map(\.value))
        var text = ""
        var isHealthy = true
        for (name, check) in checks.withLock({ $0 }) {
            if excluded.remove(name) != nil {
                text += "[+]\(name) excluded: ok\n"
            } else if check() {
                text += "[+]\(name) ok\n"
            } else {
                text += "[-]\(name) failed: reason withheld\n"
                isHealthy = false
            }
        }
        if !excluded.isEmpty {
            text += "warn: some health checks cannot be excluded: no matches for \(excluded.count) of them\n"
        }
        guard isHealthy else {
            return Answer(status: 500, text: text + "\(name) check failed\n")
        }
        return Answer(status: 200, text: isVerbose ? text + "\(name) check passed\n" : "ok")
    }

    /// Answers a request for one check.
    func answer(check name: String) -> Answer {
        guard let check = checks.withLock({ $0.first { $0.name == name } }) else {
            return Answer(status: 404, text: "no such check\n")
        }
        return check.check()
            ? Answer(status: 200, text: "ok") : Answer(status: 500, text: "internal server error: reason withheld\n")
    }
}
