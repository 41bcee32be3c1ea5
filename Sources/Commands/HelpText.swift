/// Lays text out for a terminal of 80 columns.
enum HelpText {
    /// The narrowest terminal that people still have.
    static let columnsMaximum = 80
    /// A wider left column would leave no room for the right one.
    private static let leftMaximum = 30

    /// Lays out two columns, the right one broken into lines between words.
    static func columns(_ rows: [(String, String)]) -> String {
        let width = min(rows.map(\.0.count).max() ?? 0, leftMaximum)
        let margin = String(repeating: " ", count: width + 4)
        var text = ""
        for (left, right) in rows {
            let lines = FoldedText.lines(right, width: columnsMaximum - width - 4)
            if left.count > width {
                // A long left cell has a line for itself.
                text += "  \(left)\n" + lines.map { margin + $0 + "\n" }.joined()
                continue
            }
            let gap = String(repeating: " ", count: width - left.count + 2)
            text += "  " + left + (lines.first.map { gap + $0 } ?? "") + "\n"
            text += lines.dropFirst().map { margin + $0 + "\n" }.joined()
        }
        return text
    }

    /// Breaks the paragraphs of a text at 80 columns; lines that begin with two spaces stay as they are.
    static func flowed(_ text: String) -> String {
        var lines: [String] = []
        var paragraph = ""
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.isEmpty || line.hasPrefix("  ") {
                lines += FoldedText.lines(paragraph, width: columnsMaximum)
                paragraph = ""
                lines.append(String(line))
            } else {
                paragraph += (paragraph.isEmpty ? "" : " ") + line
            }
        }
        return (lines + FoldedText.lines(paragraph, width: columnsMaximum)).joined(separator: "\n")
    }
}
