/// What a person is told of one object: a line for each thing, then a table.
struct Details: Sendable {
    private var rows: [(String, Table.Cell)] = []
    /// What follows below.
    var table: Table?

    /// Adds a line.
    mutating func add(_ title: String, _ cell: Table.Cell) { rows.append((title, cell)) }

    /// Adds a line where there is something to say.
    mutating func add(_ title: String, _ text: String?) {
        guard let text, !text.isEmpty else { return }
        rows.append((title, Table.Cell(text)))
    }

    /// Lays it out.
    ///
    /// - Parameter width: Columns of the terminal; nil where a program reads.
    func text(hasColors: Bool, width: Int? = nil) -> String {
        let titleWidth = (rows.map(\.0.count).max() ?? 0) + 1
        var text = ""
        for (title, cell) in rows {
            text += title + ":" + String(repeating: " ", count: titleWidth - title.count + 1)
            text += cell.shown(hasColors: hasColors) + "\n"
        }
        if let table { text += "\n" + table.text(hasColors: hasColors, width: width) }
        return text
    }
}

extension Console {
    /// Shows one object: for people its details, for programs as any other finding.
    func show(_ finding: Finding, as format: OutputFormat, details: Details) throws {
        switch format {
        case .table, .wide: write(Array(details.text(hasColors: hasColors, width: width).utf8))
        default: try show(finding, as: format)
        }
    }
}
