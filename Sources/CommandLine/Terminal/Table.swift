import Commands

/// Rows for a person to read.
struct Table: Sendable {
    /// How a cell is to be taken.
    enum Mood: Sendable {
        /// As it is.
        case plain
        /// It works.
        case good
        /// It is on its way.
        case waiting
        /// Somebody has to act.
        case bad
    }

    /// One cell.
    struct Cell: Sendable, ExpressibleByStringLiteral {
        let text: String
        let mood: Mood
        /// Whether it is a command, which is copied and so stays in one line.
        let isCommand: Bool

        /// Makes a cell; nothing is shown as a dash.
        init(_ text: String?, _ mood: Mood = .plain, isCommand: Bool = false) {
            let line = TerminalText.line(text ?? "")
            self.text = line.isEmpty ? "-" : line
            self.mood = mood
            self.isCommand = isCommand
        }

        /// Makes the cell above a column, which may be empty.
        init(title: String) {
            text = title
            mood = .plain
            isCommand = false
        }

        /// Makes a plain cell.
        init(stringLiteral text: String) { self.init(text) }

        /// The text, coloured by its mood where there are colours.
        func shown(hasColors: Bool) -> String {
            guard hasColors, let color else { return text }
            return "\u{1B}[\(color)m\(text)\u{1B}[0m"
        }

        private var color: Int? {
            switch mood {
            case .plain: nil
            case .good: 32
            case .waiting: 33
            case .bad: 31
            }
        }
    }

    /// A column.
    struct Column: Sendable, ExpressibleByStringLiteral {
        let title: String
        let isWide: Bool
        /// Whether its cells are sentences, which are broken between words where a line is full; of the last column alone.
        let isProse: Bool

        /// Makes a column.
        ///
        /// - Parameters:
        ///   - isWide: Whether it is shown only with `-o wide`.
        ///   - isProse: Whether its cells are sentences.
        init(_ title: String, isWide: Bool = false, isProse: Bool = false) {
            self.title = title
            self.isWide = isWide
            self.isProse = isProse
        }

        /// Makes a column that is always shown.
        init(stringLiteral title: String) { self.init(title) }
    }

    let columns: [Column]
    private(set) var rows: [[Cell]] = []

    /// Makes an empty table.
    init(_ columns: [Column]) { self.columns = columns }

    /// Adds a row, with a cell for each column.
    mutating func add(_ cells: [Cell]) { rows.append(cells) }

    /// Lays the table out.
    ///
    /// - Parameters:
    ///   - isWide: Whether wide columns are shown.
    ///   - hasColors: Whether moods are shown by colours.
    ///   - width: Columns of the terminal; nil where a program reads, for which a row is a line.
    func text(isWide: Bool = false, hasColors: Bool = false, width: Int? = nil) -> String {
        let shown = columns.indices.filter { isWide || !columns[$0].isWide }
        let cells = rows.map { row in shown.map { $0 < row.count ? row[$0] : Cell(nil) } }
        let titles = shown.map { columns[$0].title }
        let widths = titles.indices.map { index in
            max(titles[index].count, cells.map { $0[index].text.count }.max() ?? 0)
        }
        var text = Self.row(titles.map { Cell(title: $0) }, widths, hasColors: false)
        let proseWidth = shown.last.flatMap { columns[$0].isProse ? width : nil }
        for row in cells { text += Self.row(row, widths, hasColors: hasColors, proseWidth: proseWidth) }
        return text
    }

    /// Below that a sentence gets lines of its own.
    private static let proseColumnsMinimum = 36
    private static let proseIndent = 4

    private static func row(
        _ cells: [Cell], _ widths: [Int], hasColors: Bool, proseWidth: Int? = nil
    ) -> String {
        var line = ""
        for (index, cell) in cells.enumerated() {
            // The last column ends where its text ends.
            guard index + 1 < cells.count else {
                let margin = widths.dropLast().reduce(0) { $0 + $1 + 3 }
                guard let proseWidth, !cell.isCommand, margin + cell.text.count > proseWidth else {
                    return line + cell.shown(hasColors: hasColors) + "\n"
                }
                return prose(cell.text, after: line, margin, of: proseWidth)
            }
            line += cell.shown(hasColors: hasColors)
            line += String(repeating: " ", count: widths[index] - cell.text.count + 3)
        }
        return line + "\n"
    }

    /// A sentence that is too long for the rest of its line.
    private static func prose(_ text: String, after line: String, _ margin: Int, of width: Int) -> String {
        let hasRoom = width - margin >= proseColumnsMinimum
        let indent = String(repeating: " ", count: hasRoom ? margin : proseIndent)
        let lines = FoldedText.lines(text, width: max(width - indent.count, 1))
        var line = line
        if !hasRoom {
            while line.last == " " { line.removeLast() }
            line += "\n" + indent
        }
        return line + lines.joined(separator: "\n" + indent) + "\n"
    }
}
