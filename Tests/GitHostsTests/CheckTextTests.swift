import Testing

@testable import GitHosts

@Suite("A log as a check run's text")
struct CheckTextTests {
    @Test("is framed as it is while it fits")
    func short() {
        #expect(CheckText.framed("step 1\nstep 2") == "```shell\nstep 1\nstep 2\n```")
    }

    @Test("has a frame that nothing in the log closes", arguments: [3, 4, 31, 32, 5000])
    func fence(count: Int) {
        let log = "before\n" + String(repeating: "`", count: count) + "\nafter"

        let lines = CheckText.framed(log).split(separator: "\n").map(String.init)
        let fence = lines[0].prefix { $0 == "`" }

        #expect(lines[0] == fence + "shell")
        #expect(lines.last == String(fence))
        #expect(!lines[1..<(lines.count - 1)].contains { $0.hasPrefix(fence) })
    }

    @Test(
        "keeps its end when it is too long, and says so first with both sizes",
        arguments: [65_520, 65_521, 65_535, 65_536, 200_000, 3_000_000])
    func long(size: Int) {
        let line = "this is line with ümlauts\n"
        let rest = String(repeating: "x", count: size % line.utf8.count)
        let log = String(repeating: line, count: size / line.utf8.count) + rest

        let text = CheckText.framed(log)
        let fits = log.utf8.count + "```shell\n\n```".utf8.count <= CheckText.bytesMaximum

        #expect(text.utf8.count <= CheckText.bytesMaximum)
        #expect(text.hasPrefix("Warning: ") == !fits)
        #expect(text.hasSuffix(String(log.suffix(100)) + "\n```"))
        if !fits {
            let warning = text.prefix { $0 != "\n" }
            #expect(warning.contains(" \(log.utf8.count) bytes") && warning.contains(" 65535;"))
            #expect(text.utf8.count > CheckText.bytesMaximum - 200, "nearly all room is used")
            #expect(!text.contains("\u{FFFD}"), "no character is cut in two")
        }
    }

    @Test("of one endless line is cut as well")
    func noLineEnd() {
        let text = CheckText.framed(String(repeating: "é", count: 100_000))

        #expect(text.utf8.count <= CheckText.bytesMaximum)
        #expect(!text.contains("\u{FFFD}"))
    }
}
