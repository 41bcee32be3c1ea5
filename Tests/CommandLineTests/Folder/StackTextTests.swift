import Builds
import Commands
import Testing

@testable import CommandLine

@Suite("Functions are added to a stack file")
struct StackTextTests {
    private let addition = StackText.Addition(name: "second", runtime: "node", handler: "./second")

    @Test(
        "What somebody wrote stays, and the function comes behind the others",
        arguments: [
            (
                "functions:\n  one:\n    lang: go\n",
                "functions:\n  one:\n    lang: go\n  second:\n    lang: node\n    handler: ./second\n    image: second\n"
            ),
            (
                "functions: # ours\n    one:\n        lang: go # fast\n\n# the end\nconfiguration:\n  copy: [a]",
                "functions: # ours\n    one:\n        lang: go # fast\n    second:\n      lang: node\n"
                    + "      handler: ./second\n      image: second\n\n# the end\nconfiguration:\n  copy: [a]\n"
            ),
            (
                "version: 1.0\nfunctions:\n",
                "version: 1.0\nfunctions:\n  second:\n    lang: node\n    handler: ./second\n    image: second\n"
            ),
        ])
    func adding(before: String, after: String) throws {
        #expect(try StackText.adding(addition, to: before, path: "stack.yml") == after)
    }

    @Test(
        "What cannot be gone on with is refused",
        arguments: ["", "functions: {one: {lang: go}}\n", "functions:\n  second:\n    lang: go\n", "other:\n  a: b\n"])
    func refusals(text: String) {
        #expect(throws: CommandFailure.self) { try StackText.adding(addition, to: text, path: "stack.yml") }
    }

    @Test("A new file, and one that was added to, are read as stack files")
    func isReadable() throws {
        var rules = StackRules()
        rules.runtimes = ["node", "go"]
        let new = StackText.new(StackText.Addition(name: "one", runtime: "go", handler: "./one"))
        let both = try StackText.adding(addition, to: new, path: "stack.yml")

        let stack = try StackFile(Array(both.utf8), name: "stack.yml", rules: rules)

        #expect(stack.functions.map(\.name) == ["one", "second"])
        #expect(stack.functions.map(\.handler) == ["one", "second"])
    }
}
