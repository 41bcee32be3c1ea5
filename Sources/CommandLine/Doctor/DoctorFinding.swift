import JSON

/// What one check of the cluster found.
struct DoctorFinding: Sendable, Equatable {
    /// How it is.
    enum Outcome: String, Sendable {
        /// As it should be.
        case good = "ok"
        /// It works, and something is missing that some need.
        case warning
        /// Farebox cannot work so.
        case bad
        /// It could not be found out.
        case unknown

        var mood: Table.Mood {
            switch self {
            case .good: .good
            case .warning: .waiting
            case .bad: .bad
            case .unknown: .plain
            }
        }
    }

    /// What was looked at.
    let check: String
    let outcome: Outcome
    /// What was found.
    let text: String
    /// What to do; nil where nothing has to be done.
    let remedy: String?

    init(_ check: String, _ outcome: Outcome, _ text: String, remedy: String? = nil) {
        self.check = check
        self.outcome = outcome
        self.text = text
        self.remedy = remedy
    }

    /// For programs.
    var json: JSONValue {
        var value: JSONValue = ["check": .string(check), "outcome": .string(outcome.rawValue), "text": .string(text)]
        value["remedy"] = remedy.map { .string($0) }
        return value
    }
}
