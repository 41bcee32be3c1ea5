import KubernetesTypes
import Synchronization

/// Prints lines of a log, each with the pod it is from where there are several.
final class LogPrinter: Sendable {
    private let console: Console
    private let showsTimes: Bool
    private let state = Mutex(State())

    private struct State {
        var showsInstances = false
        var hasPrinted = false
    }

    init(_ console: Console, showsTimes: Bool) {
        self.console = console
        self.showsTimes = showsTimes
    }

    /// Whether there was a line.
    var hasPrinted: Bool { state.withLock { $0.hasPrinted } }

    /// Says from how many pods lines may come.
    func expect(instances: Int) { state.withLock { $0.showsInstances = instances > 1 } }

    /// Prints lines that came together; those of several pods never mix inside a line.
    func take(_ lines: [LogLine], from instance: String) {
        let showsInstance = state.withLock { state in
            state.hasPrinted = state.hasPrinted || !lines.isEmpty
            return state.showsInstances
        }
        var bytes: [UInt8] = []
        for line in lines {
            if showsTimes, !line.time.isEmpty { bytes += Array("\(line.time) ".utf8) }
            if showsInstance { bytes += Array("\(instance) | ".utf8) }
            bytes += console.isTerminal ? TerminalText.shown(line.text) : line.text
            if line.isCut { bytes += Array("… (cut)".utf8) }
            bytes.append(UInt8(ascii: "\n"))
        }
        console.write(bytes)
    }
}
