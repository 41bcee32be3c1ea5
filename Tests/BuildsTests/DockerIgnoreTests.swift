import Testing

@testable import Builds

@Suite("A .dockerignore file")
struct DockerIgnoreTests {
    @Test(
        "leaves behind what Docker leaves behind",
        arguments: [
            ("node_modules", "node_modules/a/b.js", true), ("node_modules", "src/node_modules", false),
            ("node_modules/", "node_modules/a", true), ("/node_modules", "node_modules", true),
            ("./a/../b", "b/c", true), ("*.md", "README.md", true), ("*.md", "docs/README.md", false),
            ("**/*.md", "README.md", true), ("**/*.md", "docs/deep/README.md", true), ("docs/**", "docs/a/b", true),
            ("docs/**", "docs", false), ("**", "anything/at/all", true), ("a?c", "abc", true), ("a?c", "a/c", false),
            ("[a-c].txt", "b.txt", true), ("[a-c].txt", "d.txt", false), ("[^a-c].txt", "d.txt", true),
            ("*/temp*", "somedir/temporary.txt", true), ("*/*/temp*", "x/subdir/temp", true),
            ("*/temp*", "temporary.txt", false), ("a\\*b", "a*b", true), ("a\\*b", "axb", false),
            ("# comment", "# comment", false), ("", "a", false), ("*", "a/b/c", true), ("**/a/**/b", "a/b", true),
            ("**/a/**/b", "x/a/y/z/b/below", true), ("**/a/**/b", "x/ab", false), ("dir", "directory", false),
            (".git", ".gitignore", false), ("..", "a", false), ("secret*", "secrets/a", true),
        ])
    func rule(pattern: String, path: String, isExcluded: Bool) throws {
        let ignore = try DockerIgnore(pattern)

        #expect(ignore.excludes(path) == isExcluded)
    }

    @Test("lets the last rule that matches decide")
    func exceptions() throws {
        let ignore = try DockerIgnore("# all\n*\r\n!src\n  src/*.tmp  \n! src/keep.tmp\n")

        #expect(ignore.excludes("README.md"))
        #expect(!ignore.excludes("src/main.c"))
        #expect(ignore.excludes("src/a.tmp"))
        #expect(!ignore.excludes("src/keep.tmp"))
    }

    @Test("names the line of a pattern that cannot be read", arguments: ["ok\n[a", "ok\na\\", "ok\n[z-a]"])
    func badPattern(text: String) {
        let error = #expect(throws: DockerIgnoreError.self) { try DockerIgnore(text) }

        guard case .pattern(let line, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(line == 2)
    }

    @Test("has limits")
    func limits() {
        let many = String(repeating: "a\n", count: DockerIgnore.rulesMaximum + 1)
        let large = String(repeating: "#", count: DockerIgnore.fileBytesMaximum + 1)

        #expect(throws: DockerIgnoreError.tooManyRules) { try DockerIgnore(many) }
        #expect(throws: DockerIgnoreError.tooLarge) { try DockerIgnore(large) }
    }

    @Test("takes time that grows with the input only, whatever the pattern", .timeLimit(.minutes(10)))
    func noBacktracking() throws {
        let ignore = try DockerIgnore(String(repeating: "*a", count: 100) + "b")
        let path = String(repeating: "a", count: 1000)

        #expect(!ignore.excludes(path))
    }
}
