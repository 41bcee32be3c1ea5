import Synchronization

/// The events of one watch, in the server's order; one task reads them.
public final class WatchStream: Sendable {
    private let bytes: any ByteStream
    private let splitter: Mutex<LineSplitter>
    private let request: String

    /// Cuts a stream of bytes into events.
    ///
    /// - Parameters:
    ///   - bytes: Newline-delimited JSON.
    ///   - request: What the watch is for, for error messages.
    ///   - eventBytesMaximum: A longer event ends the stream with an error.
    public init(_ bytes: any ByteStream, request: String, eventBytesMaximum: Int = WatchStream.eventBytesMaximum) {
        self.bytes = bytes
        self.request = request
        self.splitter = Mutex(LineSplitter(lineBytesMaximum: eventBytesMaximum))
    }

    /// Objects have at most 1.5 MiB in etcd by default, a few times that when written out with all their defaults.
    public static let eventBytesMaximum = 16 << 20

    /// Returns the events that arrived together, at least one, or `nil` when the server ended the watch regularly.
    ///
    /// An event that was cut off by the end of the stream is dropped, as client-go does: the watch resumes before it.
    ///
    /// - Throws: ``KubernetesError``, or `CancellationError` when the task is cancelled.
    public func next() async throws -> [RawWatchEvent]? {
        while let piece = try await bytes.next() {
            let lines: [[UInt8]]
            do {
                lines = try splitter.withLock { splitter throws(LineTooLong) in try splitter.take(piece) }
            } catch {
                bytes.cancel()
                throw KubernetesError.decoding("an event has more than \(error.bytesMaximum) bytes", during: request)
            }
            if !lines.isEmpty { return lines.map { RawWatchEvent(bytes: $0) } }
        }
        return nil
    }

    /// Ends the watch; a waiting ``next()`` throws.
    public func cancel() { bytes.cancel() }
}
