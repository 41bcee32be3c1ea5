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

    @Test(
        "A sentence is broken between words beside its row where there is room, else below it, and never for a program")
    func prose() {
        var narrow = Table(["A", Table.Column("SAYS", isProse: true)])
        narrow.add(["x", "one two three four five six seven eight nine"])
        var broad = Table([Table.Column(String(repeating: "A", count: 30)), Table.Column("SAYS", isProse: true)])
        broad.add(["x", "one two three four five six seven eight nine"])
        broad.add(["y", "short"])
        var command = Table(["A", Table.Column("SAYS", isProse: true)])
        command.add(["x", Table.Cell("kubectl get pods --namespace farebox-system --watch", isCommand: true)])

        #expect(narrow.text(width: 42) == "A   SAYS\nx   one two three four five six seven\n    eight nine\n")
        let lines = broad.text(width: 42).split(separator: "\n").map(String.init)
        #expect(Array(lines[1...2]) == ["x", "    one two three four five six seven"])
        #expect(lines.last == "y" + String(repeating: " ", count: 32) + "short")
        #expect(command.text(width: 42).split(separator: "\n").count == 2)
        #expect(narrow.text().split(separator: "\n").count == 2)
    }

    @Test("What follows the details of an object has the terminal's width, not that of their titles")
    func details() {
        var details = Details()
        details.add("Name", "hello")
        var table = Table(["A", Table.Column("SAYS", isProse: true)])
        table.add(["x", "one two three four five six seven eight nine"])
        details.table = table

        let lines = details.text(hasColors: false, width: 42).split(separator: "\n").map(String.init)

        #expect(lines == ["Name:  hello", "A   SAYS", "x   one two three four five six seven", "    eight nine"])
    }

    @Test("A cell cannot move the cursor, and is coloured only where there are colours")
    func cells() {
        var table = Table(["STATE"])
        table.add([Table.Cell("Rea\u{1B}[2Jdy\n", .good)])

        #expect(table.text() == "STATE\nRea [2Jdy \n")
        #expect(table.text(hasColors: true) == "STATE\n\u{1B}[32mRea [2Jdy \u{1B}[0m\n")
    }
}
