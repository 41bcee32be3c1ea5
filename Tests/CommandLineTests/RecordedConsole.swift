import Commands
import Synchronization

@testable import CommandLine

/// A console whose words a test reads.
final class RecordedConsole: Sendable {
    private let written = Mutex<(output: [UInt8], errors: [UInt8])>(([], []))
    private let variables: [String: String]

    init(variables: [String: String] = [:]) { self.variables = variables }

    var console: Console {
        Console(variables: { [variables] in variables[$0] }) { stream, bytes in
            self.written.withLock { written in
                if stream == .output { written.output += bytes } else { written.errors += bytes }
            }
        }
    }

    var output: String { written.withLock { String(decoding: $0.output, as: UTF8.self) } }
    var errors: String { written.withLock { String(decoding: $0.errors, as: UTF8.self) } }
}

/// Runs a command as somebody types it, and gives back what it wrote and how it ended.
func typed(
    _ words: [String], _ variables: [String: String] = [:]
) async -> (output: String, errors: String, code: Int32) {
    let recorded = RecordedConsole(variables: variables)
    let tree = CommandTree(PersonCommands.all(recorded.console))
    do {
        guard case .run(let command, let options) = try tree.request(words) else { return ("page", "", 0) }
        try await command.run(options)
        return (recorded.output, recorded.errors, 0)
    } catch {
        let report = tree.report(error, after: words)
        return (recorded.output, recorded.errors + report.text, report.code.rawValue)
    }
}
