import Testing

@testable import CommandLine

@Suite("Tables for people")
struct TableTests {
    @Test("Columns are as wide as their longest cell, and wide ones are left out")
    func layout() {
        var table = Table(["NAME", Table.Column("IMAGE", isWide: true), "URL"])
        table.add(["hello", "registry/hello", "http://a/hello"])
        table.add(["x", "y", Table.Cell(nil)])

        let text = table.text()

        #expect(text == "NAME    URL\nhello   http://a/hello\nx       -\n")
    }

    @Test("A column may have no title, where an empty cell has a dash")
    func titles() {
        var table = Table(["", "NAME"])
        table.add(["*", "a"])
        table.add([Table.Cell(nil), "b"])

        #expect(table.text() == "    NAME\n*   a\n-   b\n")
    }

    @Test("A cell cannot move the cursor, and is coloured only where there are colours")
    func cells() {
        var table = Table(["STATE"])
        table.add([Table.Cell("Rea\u{1B}[2Jdy\n", .good)])

        #expect(table.text() == "STATE\nRea [2Jdy \n")
        #expect(table.text(hasColors: true) == "STATE\n\u{1B}[32mRea [2Jdy \u{1B}[0m\n")
    }
}
