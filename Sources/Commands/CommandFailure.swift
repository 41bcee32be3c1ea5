/// What a process ends with.
public enum ExitCode: Int32, Sendable, CaseIterable {
    /// It did what was asked.
    case done = 0
    /// It failed.
    case failed = 1
    /// What was typed makes no sense.
    case usage = 2
    /// What it is about does not exist.
    case notFound = 3
    /// Somebody said no: RBAC, a rule of the platform, a function that demands payment.
    case refused = 4
    /// It took too long.
    case timedOut = 5

    /// What it means, for the help.
    public var meaning: String {
        switch self {
        case .done: "done"
        case .failed: "failed"
        case .usage: "not understood"
        case .notFound: "not found"
        case .refused: "refused"
        case .timedOut: "timed out"
        }
    }
}

/// Why a command did not do what was asked: which object, why, and what to do next.
public struct CommandFailure: Error, CustomStringConvertible, Sendable {
    /// What the process ends with.
    public let code: ExitCode
    /// The object and the cause, in one sentence.
    public let description: String
    /// What to do next, mostly a command; nil where nothing helps.
    public let advice: String?

    /// Makes a failure.
    public init(_ code: ExitCode, _ description: String, advice: String? = nil) {
        self.code = code
        self.description = description
        self.advice = advice
    }

    /// Makes a failure with no code of its own.
    public init(_ description: String, advice: String? = nil) {
        self.init(.failed, description, advice: advice)
    }
}
