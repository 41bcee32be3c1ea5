import Synchronization
import Timing

/// What a command that takes its time is doing: a line that turns on a terminal, a line for each step elsewhere.
///
/// What is over at once is never shown; everything it says goes to standard error.
final class Progress: Sendable {
    private let console: Console
    private let step: Mutex<Step?>
    private let turning: Mutex<Task<Void, Never>?> = Mutex(nil)

    private struct Step {
        var text: String
        let start: ContinuousClock.Instant
        var turn = 0
        /// Whether it was said where there is no terminal.
        var isSaid = false
    }

    /// Below that nobody wonders what is going on.
    private static let patience = Duration.milliseconds(400)
    /// Below that a log needs no line.
    private static let silence = Duration.seconds(2)
    /// Ten times a second looks alive and costs nothing.
    private static let interval = Duration.milliseconds(100)
    private static let signs = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"]

    /// Makes one that says nothing yet.
    init(_ console: Console) {
        self.console = console
        step = Mutex(nil)
    }

    /// Begins a step, which ends the one before; the same text again is the same step.
    func begin(_ text: String) {
        let text = TerminalText.line(text)
        let isNew = step.withLock { step in
            guard step?.text != text else { return false }
            step = Step(text: text, start: step?.start ?? .now)
            return true
        }
        guard isNew else { return }
        turn()
    }

    /// Ends the last step; what was shown on a terminal is wiped.
    func end() {
        step.withLock { $0 = nil }
        turning.withLock { task in
            task?.cancel()
            task = nil
        }
        console.show(progress: "")
    }

    /// Runs something as one step.
    func during<Answer>(_ text: String, _ body: () async throws -> Answer) async rethrows -> Answer {
        begin(text)
        defer { end() }
        return try await body()
    }

    /// Makes the line turn until the end.
    private func turn() {
        turning.withLock { task in
            guard task == nil else { return }
            task = Task { [weak self] in
                while !Task.isCancelled {
                    // A tenth of a second is the line's own pace: there is nothing to wait for.
                    guard (try? await Task.sleep(for: Self.interval)) != nil else { return }
                    guard let self, self.showTurn() else { return }
                }
            }
        }
    }

    private func showTurn() -> Bool {
        let line: String? = step.withLock { step in
            guard let current = step else { return nil }
            step?.turn += 1
            let elapsed = ContinuousClock.now - current.start
            guard console.showsProgress else {
                guard elapsed > Self.silence, !current.isSaid else { return "" }
                step?.isSaid = true
                return current.text
            }
            guard elapsed > Self.patience else { return "" }
            let seconds = elapsed.components.seconds
            let sign = Self.signs[current.turn % Self.signs.count]
            return "\(sign) \(current.text.prefix(66))" + (seconds >= 2 ? " (\(seconds) s)" : "")
        }
        guard let line else { return false }
        if !line.isEmpty {
            if console.showsProgress { console.show(progress: line) } else { console.note(line) }
        }
        return true
    }
}
