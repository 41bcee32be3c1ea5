/// What reading a source of runtimes gave.
public struct FoundRuntimes: Sendable, Hashable {
    /// The runtimes that can be used.
    public let runtimes: [Runtime]
    /// Why others cannot.
    public let problems: [RuntimeError]

    /// Makes a finding.
    public init(runtimes: [Runtime], problems: [RuntimeError] = []) {
        self.runtimes = runtimes
        self.problems = problems
    }
}
