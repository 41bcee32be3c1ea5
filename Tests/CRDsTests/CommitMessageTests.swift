import CRDs
import Testing

@Suite("A commit's message")
struct CommitMessageTests {
    @Test(
        "asks not to be built",
        arguments: [
            "Fix a typo [skip ci]", "[ci skip] Fix a typo", "[no ci]", "Fix\n\nLong text.\n[Skip CI]\n", "x[CI SKIP]y",
            "[skip-ci]", "[ci_skip]", "[[skip ci]]", "é [skip ci]",
        ])
    func skips(message: String) {
        #expect(CommitMessage.asksToSkip(message))
    }

    @Test(
        "asks for nothing special",
        arguments: [
            "", "Fix a typo", "skip ci", "[skip  ci]", "[skip ci", "[ skip ci ]", "(skip ci)", "[ci]", "[skip cі]",
            String(repeating: "x", count: 64 << 10) + "[skip ci]", String(repeating: "[skip c", count: 9000),
        ])
    func builds(message: String) {
        #expect(!CommitMessage.asksToSkip(message))
    }
}
