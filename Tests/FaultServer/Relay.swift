import HTTP
import Synchronization

/// One answer on its way from the real server to the client.
final class Relay: Sendable {
    private enum Stage {
        case running
        case ending(text: String?, isCut: Bool)
        case over
    }

    private let stream: HTTPClientStream
    private let gate: Gate
    private let stage = Mutex(Stage.running)
    private let isFrozen = Atomic<Bool>(false)

    init(_ stream: HTTPClientStream, _ gate: Gate) {
        self.stream = stream
        self.gate = gate
    }

    /// Whether the answer has ended.
    var isOver: Bool {
        stage.withLock { stage in
            if case .over = stage { true } else { false }
        }
    }

    /// Passes nothing on from now on.
    func freeze() {
        isFrozen.store(true, ordering: .sequentiallyConsistent)
    }

    /// Ends the answer, after sending `text`.
    func end(with text: String?, isCut: Bool) {
        stage.withLock { stage in
            if case .running = stage { stage = .ending(text: text, isCut: isCut) }
        }
        stream.cancel()
    }

    /// Passes the answer on until it ends.
    func run(_ writer: HTTPBodyWriter) async throws {
        defer { stage.withLock { $0 = .over } }
        do {
            while let piece = try await stream.next() {
                if isFrozen.load(ordering: .sequentiallyConsistent) { await gate.wait() }
                try await writer.write(piece)
            }
        } catch {
            guard case .ending(let text, let isCut) = stage.withLock({ $0 }) else { throw error }
            if let text { try await writer.write(Array(text.utf8)) }
            if isCut { throw BrokenOff() }
        }
    }
}
