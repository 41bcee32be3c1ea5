/// Text in lines of a terminal's width, broken between words.
public enum FoldedText {
    /// Breaks text into lines between words; a word that is longer than a line stays whole.
    ///
    /// - Parameters:
    ///   - text: Some words with spaces between.
    ///   - width: Columns of a line.
    public static func lines(_ text: String, width: Int) -> [String] {
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

    /// Text whose first line begins at the margin and whose others are indented; as it is where it fits.
    ///
    /// - Parameters:
    ///   - width: Columns of the terminal; text stays as it is when nil.
    ///   - indent: Spaces before each further line.
    public static func hanging(_ text: String, width: Int?, indent: Int) -> String {
        // What has lines of its own was laid out by somebody.
        guard let width, text.count > width, width > 2 * indent, !text.contains("\n") else { return text }
        var rest = lines(text, width: width)
        guard !rest.isEmpty else { return text }
        let first = rest.removeFirst()
        let more = lines(rest.joined(separator: " "), width: width - indent)
        return ([first] + more.map { String(repeating: " ", count: indent) + $0 }).joined(separator: "\n")
    }
}
