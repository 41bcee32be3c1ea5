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
            let lines = broken(right, at: columnsMaximum - width - 4)
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
                lines += broken(paragraph, at: columnsMaximum)
                paragraph = ""
                lines.append(String(line))
            } else {
                paragraph += (paragraph.isEmpty ? "" : " ") + line
            }
        }
        return (lines + broken(paragraph, at: columnsMaximum)).joined(separator: "\n")
    }

    /// Breaks text into lines between words; a word that is longer than a line stays whole.
    static func broken(_ text: String, at width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return line.isEmpty ? lines : lines + [line]
    }
}
