import Processes
import Testing

/// The executable as it is installed, without any cluster.
@Suite("The executable", .timeLimit(.minutes(15)))
struct ExecutableTests {
    private func run(_ words: [String]) throws -> (text: String, code: Int32) {
        outcome(of: try SpawnedProcess(try #require(BuiltProgram.path("farebox")), words))
    }

    /// Runs a script of bash, whose first word is the executable.
    private func run(script: String, _ words: [String] = []) throws -> (text: String, code: Int32) {
        let path = try #require(BuiltProgram.path("farebox"))
        return outcome(of: try SpawnedProcess("/bin/bash", ["-c", script, "bash", path] + words))
    }

    private func outcome(of process: SpawnedProcess) -> (text: String, code: Int32) {
        var bytes: [UInt8] = []
        while case let piece = process.read(), !piece.isEmpty { bytes += piece }
        return (String(decoding: bytes, as: UTF8.self), process.wait() >> 8)
    }

    @Test("Every command has its help in 80 columns, its place in the manual, and is completed")
    func walk() throws {
        let commands = try run(["help"]).text.split(separator: "\n").compactMap(Self.command)
        let manual = try run(["man"]).text

        #expect(commands.count > 20)
        for command in commands {
            let words = command.split(separator: " ").map(String.init)
            let page = try run(words + ["--help"])
            #expect(page.code == 0)
            #expect(page.text.contains("\nUSAGE\n") && page.text.contains("--help"), "\(command)")
            #expect(page.text.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(command)")
            #expect(manual.contains(".SS farebox \(command.replacingHyphens)"), "\(command)")
            let completed = try run(["__complete"] + words.dropLast() + [String(words.last?.dropLast() ?? "")]).text
            #expect(completed.split(separator: "\n").contains { $0.hasPrefix(words.last ?? "?") }, "\(command)")
            let options = try run(["__complete"] + words + ["--"]).text
            #expect(options.contains("--help"), "\(command)")
        }
    }

    @Test(
        "It ends with 2 where it does not understand, and with 0 where it helps",
        arguments: [
            (["no-such-command"], 2), ([], 2), (["list", "--no"], 2), (["help", "list"], 0), (["version"], 0),
        ])
    func codes(words: [String], code: Int) throws {
        #expect(Int(try run(words).code) == code)
    }

    @Test(
        "Its end leaves alone the libraries that threads of connections may still be in",
        arguments: [["version"], ["no-such-command"], ["__complete", "li"]])
    func end(words: [String]) throws {
        let text = try run(script: #"LD_DEBUG=files exec "$@" 2>&1"#, words).text

        // As the dynamic linker of glibc tells it (ld.so(8)).
        #expect(text.contains("calling init: ") && !text.contains("calling fini: "))
    }

    @Test("Each shell's script is printed", arguments: ["bash", "zsh", "fish"])
    func scripts(shell: String) throws {
        #expect(try run(["completion", shell]).text.contains("farebox __complete"))
    }

    @Test(
        "bash completes commands, options with an equals sign, and files",
        arguments: [
            (["farebox", "sta"], 1, "status"), (["farebox", "secret", "se"], 2, "set"),
            (["farebox", "list", "--output", "=", "js"], 4, "json"),
            (["farebox", "list", "-o", ""], 3, "table wide json"),
            (["farebox", "secret", "set", "--from-file", "/etc/host"], 4, "/etc/hosts"),
            (["farebox", "no-such", ""], 2, ""),
        ] as [([String], Int, String)])
    func bash(words: [String], index: Int, expected: String) throws {
        let quoted = words.map { "'\($0)'" }.joined(separator: " ")
        let script = """
            PATH=${1%/*}:$PATH; source <(farebox completion bash); compopt() { :; }
            COMP_WORDS=(\(quoted)); COMP_CWORD=\(index); _farebox; echo "${COMPREPLY[*]}"
            """

        #expect(try run(script: script).text.contains(expected))
    }

    /// The command in a line of the list: two spaces, its name, two spaces, what it does.
    private static func command(_ line: Substring) -> String? {
        guard line.hasPrefix("  "), !line.hasPrefix("   "), let end = line.dropFirst(2).firstRange(of: "  ") else {
            return nil
        }
        return String(line.dropFirst(2)[..<end.lowerBound])
    }
}

extension String {
    /// As the manual writes it: a hyphen that is not a minus would break lines.
    fileprivate var replacingHyphens: String {
        split(separator: "-", omittingEmptySubsequences: false).joined(separator: "\\-")
    }
}
