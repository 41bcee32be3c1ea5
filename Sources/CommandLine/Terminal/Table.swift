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

        /// Makes a cell; nothing is shown as a dash.
        init(_ text: String?, _ mood: Mood = .plain) {
            let line = TerminalText.line(text ?? "")
            self.text = line.isEmpty ? "-" : line
            self.mood = mood
        }

        /// Makes the cell above a column, which may be empty.
        init(title: String) {
            text = title
            mood = .plain
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

        /// Makes a column.
        ///
        /// - Parameter isWide: Whether it is shown only with `-o wide`.
        init(_ title: String, isWide: Bool = false) {
            self.title = title
            self.isWide = isWide
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
    func text(isWide: Bool = false, hasColors: Bool = false) -> String {
        let shown = columns.indices.filter { isWide || !columns[$0].isWide }
        let cells = rows.map { row in shown.map { $0 < row.count ? row[$0] : Cell(nil) } }
        let titles = shown.map { columns[$0].title }
        let widths = titles.indices.map { index in
            max(titles[index].count, cells.map { $0[index].text.count }.max() ?? 0)
        }
        var text = Self.row(titles.map { Cell(title: $0) }, widths, hasColors: false)
        for row in cells { text += Self.row(row, widths, hasColors: hasColors) }
        return text
    }

    private static func row(_ cells: [Cell], _ widths: [Int], hasColors: Bool) -> String {
        var line = ""
        for (index, cell) in cells.enumerated() {
            line += cell.shown(hasColors: hasColors)
            // The last column ends where its text ends.
            guard index + 1 < cells.count else { break }
            line += String(repeating: " ", count: widths[index] - cell.text.count + 3)
        }
        return line + "\n"
    }
}
