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

        /// Eight digits that tell one context of a commit from another.
        var mark: String { ReportMarks.digits(8, of: [commit, context]) }
    }

    /// Fourteen digits that tell one report from another, for the status of the Repository: those of the slot, then six of
    /// what is said there.
    ///
    /// The text is left out, since it only adds to the description, and so is the target's query, which may hold a
    /// signature that changes.
    var mark: String {
        let target = report.targetURL?.prefix { $0 != "?" } ?? ""
        return slot.mark + ReportMarks.digits(6, of: [report.state.rawValue, report.description, String(target)])
    }
}

/// The marks of reports that the host was told, as the Repository's status keeps them.
enum ReportMarks {
    /// More are not kept: the reports behind them would be told once more by another process.
    static let countMaximum = 1000  // 16 KiB, the field's size, hold 1092 of 14 digits and a dot.

    /// The marks by the slot that they are of.
    static func read(_ text: String?) -> [String: String] {
        let marks = (text ?? "").split(separator: ".").prefix(countMaximum).filter { $0.utf8.count == 14 }
        return Dictionary(marks.map { (String($0.prefix(8)), String($0)) }) { first, _ in first }
    }

    static func text(_ marks: some Collection<String>) -> String? {
        marks.isEmpty ? nil : marks.sorted().prefix(countMaximum).joined(separator: ".")
    }

    fileprivate static func digits(_ count: Int, of parts: [String]) -> String {
        String(SHA256.hash(of: parts.joined(separator: "\u{0}")).hex.prefix(count))
    }
}
