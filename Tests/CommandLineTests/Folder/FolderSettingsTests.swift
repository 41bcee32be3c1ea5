import Commands
import Testing

@testable import CommandLine

@Suite("The file .farebox.yml")
struct FolderSettingsTests {
    @Test("Every key is read")
    func keys() throws {
        let text = FolderSettings.keys.map { "\($0): a-\($0)\n" }.joined()

        let settings = try FolderSettings(Array(text.utf8))

        #expect(settings.builder == "a-builder")
        #expect(settings.namespace == "a-namespace")
        #expect(settings.payloadSecret == "a-payloadSecret")
        #expect(settings.registry == "a-registry")
        #expect(settings.runtimes == "a-runtimes")
        #expect(settings.stack == "a-stack")
        #expect(settings.tag == "a-tag")
    }

    @Test("An empty file says nothing", arguments: ["", "# nothing\n", "namespace:\n", "{}"])
    func empty(text: String) throws {
        #expect(try FolderSettings(Array(text.utf8)) == FolderSettings())
    }

    @Test(
        "What is wrong is told with its place",
        arguments: [
            ("namespac: x\n", "line 1, column 1: 'namespac' is not known"),
            ("namespace: [a]\n", "namespace must be a text"),
            ("- a\n", "must be a mapping"), ("a: b: c\n", "line 1"),
        ])
    func wrong(text: String, expected: String) {
        let failure = #expect(throws: CommandFailure.self) { try FolderSettings(Array(text.utf8)) }

        #expect(failure?.description.contains(expected) == true, "\(failure?.description ?? "")")
    }
}
