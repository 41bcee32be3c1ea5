public import HTTP

/// Sends pieces of one response from several tasks, each whole and one at a time.
///
/// Whoever sends waits while the client is slow: so a slow reader slows what is read for it, and nothing piles up.
public actor LogSender {
    private let writer: HTTPBodyWriter
    private var isBusy = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var lastSent = ContinuousClock.now

    /// Sends through `writer`, which nobody else uses.
    public init(_ writer: HTTPBodyWriter) { self.writer = writer }

    /// Sends a piece.
    ///
    /// - Throws: When the client is gone.
    public func send(_ bytes: [UInt8]) async throws {
        guard !bytes.isEmpty else { return }
        if isBusy {
            await withCheckedContinuation { waiting.append($0) }
        } else {
            isBusy = true
        }
        defer { passOn() }
        try await writer.write(bytes)
        lastSent = .now
    }

    /// Sends a sign of life whenever nothing was sent for `interval`, until the task is cancelled.
    ///
    /// - Throws: When the client is gone.
    public func keepAlive(_ bytes: [UInt8], every interval: Duration) async throws {
        while true {
            let silence = lastSent.duration(to: .now)
            // Nothing else wakes it: what it waits for is that nothing happened for so long.
            try await Task.sleep(for: max(interval - silence, .milliseconds(100)))
            if !isBusy, lastSent.duration(to: .now) >= interval { try await send(bytes) }
        }
    }

    /// The next in line has its turn; `isBusy` stays true on its behalf.
    private func passOn() {
        if waiting.isEmpty {
            isBusy = false
        } else {
            waiting.removeFirst().resume()
        }
    }
}
