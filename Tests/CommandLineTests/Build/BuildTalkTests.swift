import Testing

@testable import CommandLine

@Suite("The log of a build for a person")
struct BuildTalkTests {
    @Test(
        "Of a line that was written over and over the last writing is shown",
        arguments: [
            ("(Reading ... \r(Reading ... 5%\r(Reading ... 7415 files)", "(Reading ... 7415 files)"),
            ("plain", "plain"), ("ends\r", "ends\r"), ("", ""), ("\r\r", "\r\r"), ("a\rb\r", "b"), ("a\r\nb", "\nb"),
        ])
    func lastWriting(line: String, shown: String) {
        #expect(BuildTalk.lastWriting(of: line) == shown)
    }

    @Test(
        "What the Function Builder API puts before a line is left out, and nothing else",
        arguments: [
            ("v: 2026-11-21T07:12:16Z [3/7] WORKDIR /srv CACHED", "[3/7] WORKDIR /srv CACHED"),
            ("l: 2026-11-21T07:12:16Z   two  spaces", "  two  spaces"),
            ("v: [3/7] no time", "v: [3/7] no time"), ("v: 2026-11-21T07:12:16Z", "v: 2026-11-21T07:12:16Z"),
            ("x: 2026-11-21T07:12:16Z x", "x: 2026-11-21T07:12:16Z x"), ("", ""),
            ("plain words here", "plain words here"),
        ])
    func words(line: String, expected: String) {
        #expect(BuildTalk.words(of: line) == expected)
    }

    @Test("Each line has its function where there are several")
    func prefix() {
        let recorded = RecordedConsole()
        let talk = BuildTalk(recorded.console, function: "cart", isQuiet: false, isOne: false)

        talk.take("v: 2026-11-21T07:12:16Z [1/2] RUN")

        #expect(recorded.errors == "cart | [1/2] RUN\n")
    }
}
