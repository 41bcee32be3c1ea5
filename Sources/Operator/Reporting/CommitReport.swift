import Cryptography
import GitHosts

/// A report on one commit.
struct CommitReport: Sendable, Hashable {
    let commit: String
    var report: StatusReport

    /// What a later report takes the place of.
    var slot: Slot { Slot(commit: commit, context: report.context) }

    /// A context of a commit.
    struct Slot: Hashable, Sendable {
        let commit: String
        let context: String
    }

    /// Ten digits that tell one report from another, for the status of the Repository.
    ///
    /// The text is left out, since it only adds to the description, and so is the target's query, which may hold a
    /// signature that changes.
    var mark: String {
        let target = report.targetURL?.prefix { $0 != "?" } ?? ""
        let parts = [commit, report.context, report.state.rawValue, report.description, String(target)]
        return String(SHA256.hash(of: parts.joined(separator: "\u{0}")).hex.prefix(10))
    }
}

/// The marks of reports that the host was told, as the Repository's status keeps them.
enum ReportMarks {
    /// More are not kept: the reports behind them would be told once more by another process.
    static let countMaximum = 1400  // 16 KiB, the field's size, hold 1489 of 10 digits and a dot.

    static func read(_ text: String?) -> Set<String> {
        Set((text ?? "").split(separator: ".").prefix(countMaximum).map(String.init))
    }

    static func text(_ marks: Set<String>) -> String? {
        marks.isEmpty ? nil : marks.sorted().prefix(countMaximum).joined(separator: ".")
    }
}
