import Commands
import Testing

@Suite("Text in lines of a terminal's width")
struct FoldedTextTests {
    @Test(
        "Lines are broken between words, and a long word stays whole",
        arguments: [
            ("one two three", 7, ["one two", "three"]), ("abcdefghij k", 4, ["abcdefghij", "k"]), ("", 10, []),
            ("a  b", 10, ["a b"]),
        ])
    func lines(text: String, width: Int, lines: [String]) {
        #expect(FoldedText.lines(text, width: width) == lines)
    }

    @Test(
        "Further lines are indented; what fits, what has lines and what a program reads stays as it is",
        arguments: [
            ("one two three four", 9, "one two\n  three\n  four"), ("one two", 9, "one two"),
            ("one two\nthree four", 9, "one two\nthree four"), ("one  two   three", nil, "one  two   three"),
        ])
    func hanging(text: String, width: Int?, folded: String) {
        #expect(FoldedText.hanging(text, width: width, indent: 2) == folded)
    }

    @Test("Of a failure the reason is broken, and what to do next is not: it is copied")
    func report() {
        let tree = CommandTree([])
        let failure = CommandFailure(
            "one two three four five six", advice: "farebox logs a-function-with-a-long-name --since 24h")

        let shown = tree.report(failure, after: ["x"], width: 24).text
        let piped = tree.report(failure, after: ["x"]).text

        #expect(
            shown
                == "farebox x: one two three\n    four five six\n"
                + "  farebox logs a-function-with-a-long-name --since 24h\n")
        #expect(piped.hasPrefix("farebox x: one two three four five six\n"))
    }
}
