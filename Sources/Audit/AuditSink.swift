import Glibc
import JSON

/// A place where audit events are told.
public protocol AuditSink: Sendable {
    /// One word, for metrics.
    var name: String { get }

    /// Tells one event; called for one event after the other.
    ///
    /// - Returns: Nil when it was told, else why it was given up.
    func tell(_ event: AuditEvent, source: String) async -> String?
}

/// Writes each event as one line of JSON, by default on standard output, where the cluster's log collector finds it.
public struct AuditLines: AuditSink {
    /// One word, for metrics.
    public let name = "lines"
    private let fileDescriptor: Int32

    /// Makes the sink.
    ///
    /// - Parameter fileDescriptor: Open for writing; it stays the caller's to close.
    public init(fileDescriptor: Int32 = 1) { self.fileDescriptor = fileDescriptor }

    /// Writes the line.
    public func tell(_ event: AuditEvent, source: String) async -> String? {
        let line = JSONWriter().write(event.value(source: source)) + [UInt8(ascii: "\n")]
        var written = 0
        while written < line.count {
            let count = line.withUnsafeBytes { buffer in
                write(fileDescriptor, buffer.baseAddress?.advanced(by: written), buffer.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return "errno \(errno)" }
            written += count
        }
        return nil
    }
}
